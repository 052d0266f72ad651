import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRemote, type Remote } from './remote.ts';
import { run, type Workspace } from './workspace.ts';

/*
 * An environment of two hosts, as its file says: this machine, and an alias that leads to it over SSH. Both are one Incus. A third
 * alias leads to a port that is closed.
 */

let remote: Remote;
let workspace: Workspace;

beforeAll(async () => {
  remote = await makeRemote({
    environment: 'e2e-two-hosts',
    containers: ['redis'],
    over: { host: 'local', containers: { cache: { host: 'near' } } },
  });
  ({ workspace } = remote);
  await cp(join(workspace.root, 'infra/redis'), join(workspace.root, 'infra/cache'), { recursive: true });
  await appendFile(join(workspace.root, '.lab/ssh_config'), 'Host closed\n  HostName 127.0.0.1\n  Port 1\n  ConnectTimeout 5\n');
  await workspace.commit('two hosts');
});
afterAll(() => remote.remove());

/** Puts `cache` on another host, by the environment's file. */
async function move(host: string): Promise<void> {
  await workspace.edit(workspace.environmentFile, (content) => {
    content.containers = { cache: { host } };
  });
  await workspace.commit(`cache on ${host}`);
}

const planAll = (...flags: string[]) =>
  workspace.nx(['run-many', '-t', 'plan', `--configuration=${workspace.environment}`, '--output-style=static', ...flags]);
const instances = async () => (await workspace.incus('list', '--format=csv', '--columns=n')).split('\n').filter(Boolean);
const leases = () => run('find', [`/var/lib/mooring/${workspace.environment}`, '-name', 'lease']);

it('the first deploy of both needs no flag, and a second one does nothing', async () => {
  const first = await workspace.configure();
  expect(first.code, first.output).toBe(0);
  const second = await workspace.configure();
  expect(second.code, second.output).toBe(0);
  expect(second.output).toContain('0 changes; 6 round trips');
  expect(await leases()).toBe('');
});

it('a container that another alias of the same machine leads to is where it was', async () => {
  await move('local');
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  expect(output).toContain('cache: configure: no changes');
});

it('with a host that does not answer, status shows the others and fails, and a deploy says what to type', async () => {
  await move('closed');
  const status = await workspace.run('zfs', 'status');
  expect(status.code, status.output).toBe(1);
  expect(status.output).toMatch(/^e2e-two-hosts-redis +running .* healthy/m);
  expect(status.output).toMatch(/^e2e-two-hosts-cache +unreachable/m);
  const log = await workspace.run('zfs', 'log');
  expect(log.code, log.output).toBe(1);
  expect(log.output).toMatch(/deploy {2}[0-9a-f]{12} {2}ok$/m);
  expect(log.output).toMatch(/^closed: unreachable$/m);
  const pruned = await workspace.run('zfs', 'prune');
  expect(pruned.code, pruned.output).toBe(1);
  expect(pruned.output).toContain('the same command with --without=closed');
  const planned = await planAll();
  expect(planned.code, planned.output).toBe(1);
  expect(planned.output).toMatch(/^redis \(e2e-two-hosts-redis on local\)$/m);
  expect(planned.output).toMatch(/^cache: refused$/m);
  for (const flags of [[], ['--batch=false']]) {
    const refused = await workspace.configure('-p', 'redis', ...flags);
    expect(refused.code, refused.output).toBe(1);
    expect(refused.output).toContain('the same command with --without=closed');
    expect(await leases()).toBe('');
  }
});

it('--without deploys what is on the others, says what it left out, and no release is the completed one', async () => {
  for (const flags of [[], ['--batch=false']]) {
    const { code, output } = await workspace.configure('-p', 'redis', '--without=closed', ...flags);
    expect(code, output).toBe(0);
    expect(output).toContain('left out by --without: host closed (cache); nothing there was looked at or changed');
    expect(await leases()).toBe('');
  }
  const asked = await workspace.configure('-p', 'redis,cache', '--without=closed');
  expect(asked.code, asked.output).toBe(1);
  expect(asked.output).toContain('--without excludes host closed, but this command targets containers there: cache');
  await move('local');
  const { code, output } = await workspace.run('zfs', 'status', '--completed-release');
  expect(code, output).toBe(1);
  expect(output).toContain('left out closed');
  expect(output).not.toMatch(/^[0-9a-f]{40}$/m);
});

it('a container whose file has a mistake is told beside the others by what looks, and keeps everything from being deployed', async () => {
  await workspace.edit('infra/cache/container.json', (content) => {
    content.settings = { ...(content.settings as object), maxmemory: 'much' };
  });
  await workspace.commit('a mistake');
  for (const flags of [[], ['--batch=false']]) {
    const { code, output } = await planAll(...flags);
    expect(code, output).toBe(1);
    expect(output).toMatch(/^redis \(e2e-two-hosts-redis on local\)\n {2}provision: no changes$/m);
    expect(output).toMatch(/^cache: refused\n {2}infra\/cache\/container.json: settings.maxmemory: found "much"/m);
  }
  const refused = await workspace.configure('-p', 'redis');
  expect(refused.code, refused.output).toBe(1);
  expect(refused.output).toContain('infra/cache/container.json: settings.maxmemory: found "much"');
  await workspace.edit('infra/cache/container.json', (content) => {
    content.settings = { ...(content.settings as object), maxmemory: '64mb' };
  });
});

it('a container that vanished is refused on another host too, and nothing is created', async () => {
  await workspace.incus('config', 'set', workspace.instance('cache'), 'security.protection.delete=false');
  await workspace.incus('delete', '--force', workspace.instance('cache'));
  await move('near');
  const { code, output } = await workspace.configure('-p', 'cache');
  expect(code, output).toBe(1);
  expect(output).toContain('e2e-two-hosts-cache is not in the Incus project e2e-two-hosts, but it is known: the audit log says');
  expect(await instances()).toEqual([workspace.instance('redis')]);
});
