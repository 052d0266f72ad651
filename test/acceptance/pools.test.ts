import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { startDeployed } from './deployed.ts';
import { addRedis, dataset, discard } from './environment.ts';
import { instances, snapshots } from './looking.ts';
import { machine } from './machine.ts';

let workspace: Workspace;

beforeAll(async () => {
  ({ workspace } = await startDeployed(['redis']));
  await addRedis(workspace, 'sessions');
  await addRedis(workspace, 'cache', 'dozer');
  await workspace.commit('sessions, and a cache on dozer');
});
afterAll(() => discard(workspace));

it('two pools: each is cut in one moment, and that the two are not is said', async () => {
  await expectConverged(workspace.configure());
  expect(await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'dozer/incus/containers')).toContain(
    dataset(workspace, 'cache', 'dozer'),
  );
  const release = await workspace.commit('the next release');
  const output = await expectConverged(workspace.configure());
  expect(output).toMatch(/not in one moment: ZFS cuts the pools (dozer, tank|tank, dozer) one after the other/);
  const cut = (await snapshots('tank', 'dozer')).filter(({ name }) => name === `pre-deploy-${release}`);
  const moments = (pool: string) => cut.filter((one) => one.dataset.startsWith(`${pool}/`)).map(({ createtxg }) => createtxg);
  expect(moments('tank')).toHaveLength(2);
  expect(new Set(moments('tank')).size).toBe(1);
  expect(moments('dozer')).toHaveLength(1);
});

it('a pool that is not imported: refused, naming it, and nothing is created or cut', async () => {
  await workspace.incus('stop', '--force', workspace.instance('cache'));
  await machine.run('zpool', ['export', 'dozer']);
  const before = { instances: await instances(workspace), snapshots: await snapshots() };
  await workspace.commit('a release while dozer is away');
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(1);
  expect(output).toMatch(/pool dozer/);
  expect(output).toMatch(/^ *next: {4}\S/m);
  expect({ instances: await instances(workspace), snapshots: await snapshots() }).toEqual(before);
  expect((await machine.attempt('zpool list dozer')).code).not.toBe(0);
});

it('imported again: the same command goes on', async () => {
  await machine.run('zpool', ['import', '-d', '/dev', 'dozer']);
  const output = await expectConverged(workspace.configure());
  expect(output).toContain('cut pre-deploy-');
  expect(await instances(workspace)).toContain(`${workspace.instance('cache')},RUNNING`);
});
