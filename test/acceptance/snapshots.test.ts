import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converge, expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { startDeployed } from './deployed.ts';
import { CONTAINERS, DistantApplication, dataset, discard, secrets } from './environment.ts';
import { instances, setNames, snapshots } from './looking.ts';
import { machine } from './machine.ts';

let workspace: Workspace;
let a: string;
let b: string;

beforeAll(async () => {
  ({ workspace, a } = await startDeployed());
});
afterAll(() => discard(workspace));

describe('the first deploy', () => {
  it('has created four containers on tank, with no restore point: there was nothing to lose', async () => {
    expect(await instances(workspace)).toEqual(CONTAINERS.map((container) => `${workspace.instance(container)},RUNNING`).sort());
    const datasets = await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/incus/containers');
    expect(datasets.slice(1).sort()).toEqual(CONTAINERS.map((container) => dataset(workspace, container)).sort());
    expect(await snapshots()).toEqual([]);
    expect(await snapshots('dozer')).toEqual([]);
  });

  it('has installed nothing: the image has the packages, so that the tests need no mirror', async () => {
    const output = await expectConverged(workspace.run('zfs', 'log', '--json'));
    expect(output).toContain(a);
    for (const container of ['postgres', 'redis', 'rabbitmq'])
      expect(await workspace.guest(container, 'ls /var/lib/apt/lists | grep -c _Packages || true')).toBe('0\n');
  });
});

describe('deploys of A, B, A on ZFS', () => {
  it('B cuts one set: a snapshot of each container, all of one createtxg', async () => {
    b = await workspace.commit('release B');
    const output = await expectConverged(workspace.configure());
    expect(output).toMatch(new RegExp(`cut pre-deploy-${b.slice(0, 12)} of (${workspace.environment}-\\w+(, )?){4}`));
    expect(output).not.toContain('not in one moment');
    const cut = (await snapshots()).filter(({ name }) => name === `pre-deploy-${b}`);
    expect(cut.map(({ dataset }) => dataset).sort()).toEqual(CONTAINERS.map((container) => dataset(workspace, container)).sort());
    expect(new Set(cut.map(({ createtxg }) => createtxg)).size).toBe(1);
  });

  it('its marks are set on the snapshots themselves', async () => {
    const lines = await machine.zfs(
      'get',
      '-H',
      '-o',
      'property,value',
      '-s',
      'local',
      'all',
      `${dataset(workspace, 'redis')}@pre-deploy-${b}`,
    );
    expect(lines).toContain(`mooring:release\t${b}`);
    expect(lines).toContain(`mooring:environment\t${workspace.environment}`);
  });

  it('B again: 0 changes, no new snapshot', async () => {
    const before = await snapshots();
    expect(await expectConverged(workspace.configure(`--release=${b}`))).toContain(`${workspace.environment}: 0 changes; 3 round trips`);
    expect(await snapshots()).toEqual(before);
  });

  it('A, then B again: each has a fresh restore point, the second one before B under a name of its own', async () => {
    // One is asked, all four are cut.
    for (const release of [a, b]) await expectConverged(workspace.run('redis', 'configure', `--release=${release}`));
    expect(await setNames()).toEqual([`pre-deploy-${b}`, `pre-deploy-${a}`, `pre-deploy-${b}-2`]);
  });

  it('the data of A is there', async () => {
    const read = await new DistantApplication(workspace).read(secrets);
    expect(read).toEqual(Object.fromEntries(CONTAINERS.map((container) => [container, 'of-a'])));
  });

  it('a change under the release that was deployed last: a restore point is cut before it', async () => {
    await workspace.edit('infra/redis/container.json', (file) => Object.assign(file.settings as object, { maxmemory: '128mb' }));
    await converge(workspace, 'redis');
    expect((await setNames()).at(-1)).toBe(`pre-deploy-${b}-3`);
  });
});
