import { afterAll, beforeAll, expect, it } from 'vitest';
import { redis as ask } from '../e2e/clients.ts';
import { converge, expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { startDeployed } from './deployed.ts';
import { DistantApplication, discard, secrets } from './environment.ts';
import { everything } from './looking.ts';
import { machine } from './machine.ts';

let workspace: Workspace;
let release: string;

const command = async (...words: string[]) =>
  ask(await new DistantApplication(workspace).address('redis'), String(secrets.REDIS_PASSWORD), words);

/** Bytes that Incus's part of the pool uses, and that are left to it. */
async function space(): Promise<{ used: number; available: number }> {
  const [used, available] = await machine.zfs('get', '-Hp', '-o', 'value', 'used,available', 'tank/incus');
  return { used: Number(used), available: Number(available) };
}

/** Leaves so much of the pool, the rest being somebody else's. */
async function leave(bytes: number): Promise<void> {
  await machine.zfs('set', 'reservation=none', 'tank/somebody');
  const { available } = await space();
  await machine.zfs('set', `reservation=${Math.floor(available - bytes)}`, 'tank/somebody');
}

beforeAll(async () => {
  ({ workspace } = await startDeployed(['redis']));
  await machine.zfs('create', '-o', 'mountpoint=none', 'tank/somebody');
  // What cannot be made smaller: a twentieth of what is used must be more than a roll-back needs.
  await machine.zfs('create', '-o', 'mountpoint=/mnt/filler', 'tank/incus/filler');
  await machine.sh('head -c 1300000000 /dev/urandom >/mnt/filler/random; zpool sync tank');
  await command('SET', 'word', 'before');
  release = await workspace.commit('release B');
  await converge(workspace, 'redis');
  await command('SET', 'word', 'after');
});
afterAll(() => discard(workspace));

it('a pool at 95 %: a deploy is refused, telling how full it is; nothing is touched', async () => {
  const { used } = await space();
  await leave(used / 19);
  await workspace.commit('release C');
  const before = await everything();
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(1);
  expect(output).toMatch(/pool tank is 9[456] % full; a deploy begins at 90 % at most/);
  expect(output).toMatch(/^ *next: {4}\S/m);
  expect(await everything()).toEqual(before);
});

it('a pool without space for it: a roll-back is refused before anything is stopped', async () => {
  await leave(16 * 1024 * 1024);
  const before = await everything();
  const { code, output } = await workspace.run('redis', 'rollback', `--before=${release}`, '--yes');
  expect(code, output).toBe(1);
  expect(output).toMatch(/space|MiB/);
  expect(output).toMatch(/^ *next: {4}\S/m);
  expect(await everything()).toEqual(before);
  expect(await command('GET', 'word')).toContain('\r\nafter\r\n');
});

it('a pool at 95 %: a roll-back works, for it copies nothing', async () => {
  const { used } = await space();
  await leave(used / 19);
  await expectConverged(workspace.run('redis', 'rollback', `--before=${release}`, '--yes'));
  expect(await command('GET', 'word')).toContain('\r\nbefore\r\n');
});
