import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { startDeployed } from './deployed.ts';
import { dataset, discard } from './environment.ts';
import { everything, snapshots } from './looking.ts';
import { machine } from './machine.ts';

let workspace: Workspace;

beforeAll(async () => {
  ({ workspace } = await startDeployed(['redis']));
});
afterAll(() => discard(workspace));

describe('a container whose name contains that of another', () => {
  it('is not touched: not cut, not marked, not pruned', async () => {
    const old = `${workspace.instance('redis')}-old`;
    await workspace.incus('init', '--quiet', 'mooring-services', old, '--profile', 'veza-data');
    // Of the same name, in another project.
    await machine.run('incus', ['init', '--quiet', 'mooring-services', workspace.instance('redis')]);
    const look = async () =>
      JSON.stringify([
        await workspace.api(`instances/${old}`),
        await machine.run('incus', ['query', `/1.0/instances/${workspace.instance('redis')}`]),
      ]);
    const before = await look();
    await workspace.commit('release B');
    await expectConverged(workspace.configure());
    const cut = (await snapshots()).map((one) => one.dataset);
    expect(cut).toContain(dataset(workspace, 'redis'));
    expect(cut).not.toContain(`${dataset(workspace, 'redis')}-old`);
    expect(cut).not.toContain(`tank/incus/containers/${workspace.instance('redis')}`);
    expect(await look()).toBe(before);
  });
});

describe('another Incus project in the environment file', () => {
  it('is refused: the container is known elsewhere, and an empty one is not made', async () => {
    // That of the same name would be in the way.
    await machine.run('incus', ['delete', workspace.instance('redis')]);
    await workspace.edit(workspace.environmentFile, (file) => Object.assign(file.incus as object, { project: 'default' }));
    await workspace.commit('the wrong project');
    const before = await everything();
    const { code, output } = await workspace.configure();
    expect(code, output).toBe(1);
    expect(output).toContain(`an instance of that name is in the Incus project veza-acceptance`);
    expect(output).toMatch(/^ *next: {4}\S/m);
    expect(await everything()).toEqual(before);
  });
});
