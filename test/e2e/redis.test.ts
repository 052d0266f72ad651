import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkspace } from './make-workspace.ts';
import { seenFromOutside } from './outside.ts';
import { type Ended, run, type Workspace } from './workspace.ts';

/** `incus remote switch`, and an alias as in Incus's documentation: nobody answers at the remote. */
const INCUS_CLIENT = `default-remote: elsewhere
remotes:
  elsewhere:
    addr: https://127.0.0.1:9
    protocol: simplestreams
    public: true
aliases:
  exec: exec --force-interactive
  query: version
`;

let workspace: Workspace;
/** A home folder in which incus goes to another server by default; what runs in it, and looks, is nx only. */
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mooring-home-'));
  await mkdir(join(home, '.config/incus'), { recursive: true });
  await writeFile(join(home, '.config/incus/config.yml'), INCUS_CLIENT);
  workspace = await makeWorkspace({ environment: 'e2e-redis', containers: ['redis'] });
});
afterAll(async () => {
  await workspace.remove();
  await rm(home, { recursive: true });
});

/** The main job, where the user's default remote is not this host. */
function configure(...flags: readonly string[]): Promise<Ended> {
  return workspace.nx(['run-many', '-t', 'configure', '--configuration=e2e-redis', '--output-style=static', ...flags], {
    env: { HOME: home },
  });
}

it("the user's incus goes to another server", async () => {
  await expect(run('env', [`HOME=${home}`, 'incus', 'list'])).rejects.toThrow("The remote isn't a private server");
});

it('creates, configures and verifies what is absent, on this host all the same', async () => {
  const { code, output } = await configure();
  expect(code, output).toBe(0);
  expect(output).toContain('is healthy (AUTH and PING, from inside and over ');
  expect(await workspace.incus('config', 'get', workspace.instance('redis'), 'security.protection.delete')).toBe('true\n');
});

it('does nothing the second time, seen from outside, though a bridge inside the container has an address too', async () => {
  await workspace.guest('redis', 'ip link add docker0 type bridge; ip address add 172.17.0.1/16 dev docker0; ip link set docker0 up');
  const before = await seenFromOutside(workspace, ['redis']);
  const { code, output } = await configure();
  expect(code, output).toBe(0);
  expect(output).toContain('0 changes; 3 round trips');
  expect(output).not.toContain('172.17.0.1');
  expect(await seenFromOutside(workspace, ['redis'])).toEqual(before);
});

it('a redis.conf that all may read is drift: the plan shows it, and configure mends it without a restart', async () => {
  const look = () =>
    workspace.guest('redis', 'stat -c "%a %U:%G %Y" /etc/redis/redis.conf; systemctl show --property=MainPID --value redis-server');
  const before = await look();
  await workspace.guest('redis', 'chmod 644 /etc/redis/redis.conf');
  const { output } = await workspace.nx(['run', 'redis:plan', '-c', 'e2e-redis', '--output-style=static']);
  expect(output).toContain('mode: 0644 -> 0640');
  const { code, output: told } = await configure();
  expect(code, told).toBe(0);
  expect(told).toContain('update file /etc/redis/redis.conf: its mode or owner is not what it should be');
  expect(await look()).toBe(before);
  expect((await configure()).output).toContain('0 changes');
});

it('--dry-run shows what would be done, changes nothing and takes no lease', async () => {
  await workspace.guest('redis', "sed -i 's/^maxmemory .*/maxmemory 1mb/' /etc/redis/redis.conf");
  const before = await seenFromOutside(workspace, ['redis']);
  const { code, output } = await configure('--dry-run');
  expect(code, output).toBe(0);
  expect(output).toContain('maxmemory: 1mb -> 268435456');
  expect(output).toContain('dry run, nothing was changed');
  expect(await seenFromOutside(workspace, ['redis'])).toEqual(before);
});
