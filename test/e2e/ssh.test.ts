import { afterAll, beforeAll, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { seenFromOutside } from './outside.ts';
import { CUT_OFF, makeRemote, type Remote } from './remote.ts';
import { ended, type Workspace } from './workspace.ts';

const PROJECTS = ['redis', 'postgres'];
const secrets = makeSecrets('ssh');

let remote: Remote;
let workspace: Workspace;
let application: Application;

beforeAll(async () => {
  remote = await makeRemote({ environment: 'e2e-ssh', containers: PROJECTS, secrets });
  ({ workspace } = remote);
  application = new Application(workspace, PROJECTS);
});
afterAll(() => remote.remove());

/** nx where this machine's Incus, its network and the containers' addresses are out of reach: all that is left is SSH. */
async function nxCutOff(...args: readonly string[]): Promise<{ code: number; output: string; connections: number }> {
  const before = remote.connections();
  const { code, output } = await workspace.nx([...args, '--output-style=static'], { before: CUT_OFF });
  return { code, output, connections: remote.connections() - before };
}
const configure = (...flags: readonly string[]) =>
  nxCutOff('run-many', '-t', 'configure', `--configuration=${workspace.environment}`, ...flags);

it('where nx is run the local Incus socket is unusable, and no container can be reached', async () => {
  const cutOff = (...args: readonly string[]) => ended(CUT_OFF[0], [...CUT_OFF.slice(1), ...args], workspace.root);
  expect(await cutOff('incus', 'list')).toMatchObject({ code: 1, output: expect.stringMatching(/socket/) });
  expect(await cutOff('bash', '-c', '</dev/tcp/127.0.0.1/22')).toMatchObject({ code: 1, output: expect.stringContaining('unreachable') });
});

it('creates, configures and verifies over one SSH connection', async () => {
  const { code, output, connections } = await configure();
  expect(code, output).toBe(0);
  for (const project of PROJECTS) expect(output).toContain(`from inside and over ${await application.address(project)})`);
  expect(connections).toBe(1);
  expect(await application.attempt(secrets)).toEqual({ redis: 'let in', postgres: 'let in' });
});

it('does nothing the second time, seen from outside, in 3 round trips over one connection', async () => {
  const before = await seenFromOutside(workspace, PROJECTS);
  const { code, output, connections } = await configure();
  expect(code, output).toBe(0);
  expect(output).toContain('0 changes; 3 round trips');
  expect(connections).toBe(1);
  expect(await seenFromOutside(workspace, PROJECTS)).toEqual(before);
});

it('does nothing with --batch=false either, seen from outside', async () => {
  const before = await seenFromOutside(workspace, PROJECTS);
  const { code, output } = await configure('--batch=false');
  expect(code, output).toBe(0);
  for (const project of PROJECTS) expect(output).toContain(`${project}: configure: no changes`);
  expect(await seenFromOutside(workspace, PROJECTS)).toEqual(before);
});

it.each([[[]], [['--batch=false']]])('repairs drift over SSH (flags: %j)', async (flags) => {
  await workspace.guest(
    'redis',
    'redis-cli -a "$(sed -n \'s/^requirepass "\\(.*\\)"/\\1/p\' /etc/redis/redis.conf)" --no-auth-warning config set maxmemory 1mb',
  );
  await workspace.guest('postgres', 'systemctl stop "postgresql@*-main.service"');
  const { code, output } = await configure(...flags);
  expect(code, output).toBe(0);
  expect(output).toMatch(/redis: configure: 1 change;/);
  expect(output).toMatch(/postgres: configure: 1 change, 1 with restart;/);
  expect(await application.attempt(secrets)).toEqual({ redis: 'let in', postgres: 'let in' });
});

it('plan, status, verify and log go over the connection as well', async () => {
  const on = `--configuration=${workspace.environment}`;
  const plan = await nxCutOff('run-many', '-t', 'plan', on, '--fail-on-changes');
  expect(plan.code, plan.output).toBe(0);
  const verify = await nxCutOff('run-many', '-t', 'verify', on);
  expect(verify.code, verify.output).toBe(0);
  const status = await nxCutOff('run', 'zfs:status', '-c', workspace.environment);
  expect(status.output).toMatch(/e2e-ssh-redis +running .* healthy .* none/);
  const log = await nxCutOff('run', 'zfs:log', '-c', workspace.environment);
  expect(log.output).toMatch(/configure {2}e2e-ssh-postgres .*ok\n/);
});
