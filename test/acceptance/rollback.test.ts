import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converge, expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { Data, everywhere } from './data.ts';
import { startDeployed } from './deployed.ts';
import { CONTAINERS, dataset, discard } from './environment.ts';
import { instances } from './looking.ts';
import { machine } from './machine.ts';

let workspace: Workspace;
let data: Data;
let b: string;
let redis: string;

beforeAll(async () => {
  ({ workspace } = await startDeployed());
  data = new Data(workspace);
  redis = dataset(workspace, 'redis');
  await data.write('of-a');
  await machine.zfs('set', 'quota=6G', 'refquota=5G', redis);
  b = await workspace.commit('release B');
  await converge(workspace);
  await data.write('of-b');
  // Newer than the restore point.
  await workspace.incus('snapshot', 'create', workspace.instance('redis'), 'mine');
  await data.write('last-of-b');
});
afterAll(() => discard(workspace));

const rollback = (...flags: string[]) => workspace.run('zfs', 'rollback', ...flags);
const quotas = () => machine.zfs('get', '-H', '-o', 'property,value', '-s', 'local', 'quota,refquota', redis);
const kept = () => machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring');
const running = CONTAINERS.map((container) => `acceptance-${container},RUNNING`).sort();

describe('zfs:rollback --before=B', () => {
  it('shows with --dry-run where it goes, how much was written since and what is kept where, and does nothing', async () => {
    const output = await expectConverged(rollback(`--before=${b}`, '--dry-run'));
    expect(output).toContain(`before ${b.slice(0, 12)} was deployed`);
    expect(output).toContain('kept as tank/mooring/acceptance-redis-');
    expect(output).toMatch(/snapshot-mine/);
    expect(output).toContain('dry run: nothing was changed');
    expect(await instances(workspace)).toEqual(running);
  });

  it('without a terminal and without --yes: nothing is done', async () => {
    const { code, output } = await rollback(`--before=${b}`);
    expect(code, output).toBe(1);
    expect(output).toContain('--yes');
    expect(await data.all()).toEqual(everywhere('of-a', 'of-b', 'last-of-b'));
  });

  it('brings all four back to one moment, losing nothing of A', async () => {
    const output = await expectConverged(rollback(`--before=${b}`, '--yes'));
    for (const container of CONTAINERS) expect(output).toMatch(new RegExp(`${container}: down for [\\d.]+ s`));
    expect(await data.all()).toEqual(everywhere('of-a'));
    expect(await instances(workspace)).toEqual(running);
  });

  it('what was left is kept, one data set for each container, with the newer snapshots', async () => {
    const names = await kept();
    for (const container of CONTAINERS)
      expect(names).toContainEqual(expect.stringMatching(new RegExp(`^tank/mooring/acceptance-${container}-\\d{8}T\\d{6}Z$`)));
    const left = names.find((name) => name.startsWith('tank/mooring/acceptance-redis-'));
    expect(await machine.zfs('list', '-H', '-o', 'name', '-t', 'snapshot', String(left))).toContain(`${left}@snapshot-mine`);
  });

  it('the live data set stands on nothing else and has its quotas', async () => {
    expect(await quotas()).toEqual(['quota\t6G', 'refquota\t5G']);
    const [origin] = await machine.zfs('get', '-H', '-o', 'value', 'origin', redis);
    expect(origin).not.toContain('tank/mooring/');
  });

  it("Incus lists no snapshot that is not there: its 'mine' has gone with the kept state", async () => {
    expect(await workspace.incus('snapshot', 'list', workspace.instance('redis'), '--format=csv')).not.toContain('mine');
    await workspace.incus('snapshot', 'create', workspace.instance('redis'), 'mine');
    await workspace.incus('snapshot', 'delete', workspace.instance('redis'), 'mine');
  });
});

describe('zfs:rollback --undo', () => {
  it("brings B's state back, to the last row", async () => {
    await expectConverged(rollback('--undo', '--yes'));
    expect(await data.all()).toEqual(everywhere('of-a', 'of-b', 'last-of-b'));
    expect(await instances(workspace)).toEqual(running);
    expect(await quotas()).toEqual(['quota\t6G', 'refquota\t5G']);
  });

  it('and the next deploy goes on from there', async () => {
    await workspace.commit('release C');
    expect(await converge(workspace)).toContain('cut pre-deploy-');
    expect(await data.all()).toEqual(everywhere('of-a', 'of-b', 'last-of-b'));
  });
});
