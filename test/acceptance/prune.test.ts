import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { startDeployed } from './deployed.ts';
import { addRedis, dataset, discard } from './environment.ts';
import { setNames, snapshots } from './looking.ts';
import { machine } from './machine.ts';

let workspace: Workspace;
let redis: string;
const releases: string[] = [];
const outputs: string[] = [];

const short = (i: number) => `pre-deploy-${releases[i]?.slice(0, 12)}`;
const set = (i: number) => `pre-deploy-${releases[i]}`;

async function deployNext(): Promise<string> {
  const release = await workspace.commit(`release ${releases.length}`);
  releases.push(release);
  // One is asked, both are cut.
  outputs.push(await expectConverged(workspace.run('redis', 'configure')));
  return release;
}

beforeAll(async () => {
  ({ workspace } = await startDeployed(['redis']));
  redis = dataset(workspace, 'redis');
  await workspace.edit(workspace.environmentFile, (file) => Object.assign(file, { retention: 1 }));
  await addRedis(workspace, 'cache');
  await workspace.commit('a cache');
  await expectConverged(workspace.configure());
});
afterAll(() => discard(workspace));

it('a deploy prunes what no rule keeps; a held and a cloned set stay, with all their members', async () => {
  await deployNext();
  await machine.zfs('hold', 'on-purpose', `${redis}@${set(0)}`);
  await deployNext();
  await machine.zfs('clone', '-o', 'mountpoint=none', `${redis}@${set(1)}`, 'tank/somebody');
  await deployNext();
  await deployNext();
  await deployNext();
  expect(await setNames()).toEqual([set(0), set(1), set(3), set(4)]);
  for (const i of [0, 1]) expect((await snapshots()).filter(({ name }) => name === set(i))).toHaveLength(2);
  expect(outputs.at(-1)).toContain(`pruned ${short(2)}`);
});

it('once the hold is released and the clone is gone, they go as well', async () => {
  await machine.zfs('release', 'on-purpose', `${redis}@${set(0)}`);
  await machine.zfs('destroy', 'tank/somebody');
  await deployNext();
  expect(outputs.at(-1)).toContain(`pruned ${short(0)}`);
  expect(outputs.at(-1)).toContain(`pruned ${short(1)}`);
  expect(await setNames()).toEqual([set(4), set(5)]);
});

it('what Incus or somebody else has snapshotted is never touched', async () => {
  await workspace.incus('snapshot', 'create', workspace.instance('redis'), 'mine');
  await machine.zfs('snapshot', `${redis}@before-lunch`);
  // Named like ours, and without our marks.
  const stray = `pre-deploy-${'f'.repeat(40)}`;
  await machine.zfs('snapshot', `${redis}@${stray}`);
  await deployNext();
  expect(outputs.at(-1)).toContain(`pruned ${short(4)}`);
  const names = (await snapshots()).filter((one) => one.dataset === redis).map(({ name }) => name);
  expect(names).toEqual([set(5), 'snapshot-mine', 'before-lunch', stray, set(6)]);
});
