import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converge, expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { startDeployed } from './deployed.ts';
import { dataset, discard, place } from './environment.ts';
import { everything, snapshots } from './looking.ts';
import { machine } from './machine.ts';

/** Redis with a custom volume beside its root. */

const VOLUME = `tank/incus/custom/${place.project}_extra`;
let workspace: Workspace;
let release: string;

const note = (text: string) => workspace.guest('redis', `echo ${text} >>/srv/extra/notes; sync`);
const notes = () => workspace.guest('redis', 'cat /srv/extra/notes');
const rollback = (...flags: string[]) => workspace.run('redis', 'rollback', ...flags, '--yes');

beforeAll(async () => {
  ({ workspace } = await startDeployed(['redis']));
  await workspace.incus('storage', 'volume', 'create', 'tank', 'extra');
  await workspace.edit(workspace.environmentFile, (file) => {
    const device = { type: 'disk', pool: 'tank', source: 'extra', path: '/srv/extra' };
    Object.assign(file.containers as object, { redis: { devices: { extra: device } } });
  });
  await workspace.commit('a volume for notes');
  await converge(workspace, 'redis');
  await note('of-a');
  release = await workspace.commit('the next release');
  await converge(workspace, 'redis');
  await note('of-b');
});
afterAll(() => discard(workspace));

describe('a custom volume', () => {
  it('is cut in the same moment as the root', async () => {
    const cut = (await snapshots()).filter(({ name }) => name === `pre-deploy-${release}`);
    const [line] = await machine.zfs('list', '-H', '-p', '-t', 'snapshot', '-o', 'createtxg', `${VOLUME}@pre-deploy-${release}`);
    expect(cut.find((one) => one.dataset === dataset(workspace, 'redis'))?.createtxg).toBe(Number(line));
  });

  it('goes back with its container, and forward again; what it held is kept', async () => {
    await expectConverged(rollback(`--before=${release}`));
    expect(await notes()).toBe('of-a\n');
    expect(await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring')).toContainEqual(
      expect.stringMatching(/^tank\/mooring\/acceptance-redis-\d{8}T\d{6}Z:extra$/),
    );
    await expectConverged(rollback('--undo'));
    expect(await notes()).toBe('of-a\nof-b\n');
  });
});

describe('a custom volume that another instance uses as well', () => {
  it('is not rolled back: refused, naming who else uses it, and nothing is touched', async () => {
    await workspace.incus('init', '--quiet', 'mooring-services', 'neighbour', '--profile', 'veza-data');
    await workspace.incus('config', 'device', 'add', 'neighbour', 'extra', 'disk', 'pool=tank', 'source=extra', 'path=/srv/extra');
    const before = await everything();
    const { code, output } = await rollback(`--before=${release}`, '--again');
    expect(code, output).toBe(1);
    expect(output).toContain(`the volume extra of ${workspace.instance('redis')} is also used by neighbour`);
    expect(output).toMatch(/^ *next: {4}\S/m);
    expect(await everything()).toEqual(before);
  });
});
