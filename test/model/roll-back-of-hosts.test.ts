import { describe, expect, test } from 'vitest';
import { type DeploySpec, sha } from './deploy.ts';
import { succeedsInUse } from './deployed-on-two-hosts.ts';
import { newWorld, onTwoHosts, type Site } from './process.ts';
import { rollBack } from './verb.ts';
import type { Snapshot } from './world/dataset.ts';
import type { World } from './world/world.ts';

const A: DeploySpec = { release: sha('a'), value: 'one' };
const B: DeploySpec = { release: sha('b'), value: 'two' };

/** What the settings in each container say, by host. */
function values(world: World): (string | undefined)[] {
  return world.all.flatMap(({ incus }) => [...incus.instances.values()].map((one) => incus.contentOf(one).get('value')));
}

async function afterTwo(): Promise<World> {
  const world = newWorld(onTwoHosts);
  await succeedsInUse(onTwoHosts, world, A);
  await succeedsInUse(onTwoHosts, world, B);
  return world;
}

/** Changes the restore points of the second host as an older version would have left them. */
function onSecond(world: World, change: (snapshots: readonly Snapshot[]) => readonly Snapshot[]): void {
  const name = 'tank/incus/containers/m-beta';
  const { datasets } = world.second?.zfs ?? newWorld(onTwoHosts).zfs;
  const dataset = datasets.get(name);
  if (dataset !== undefined) datasets.set(name, { ...dataset, snapshots: change(dataset.snapshots) });
}

/** A mark without what is on other hosts. */
function ofOlderVersion({ properties, ...snapshot }: Snapshot): Snapshot {
  const members = Object.entries(JSON.parse(properties['mooring:members'] ?? '{}')).filter(([name]) => !name.includes('@'));
  return { ...snapshot, properties: { ...properties, 'mooring:members': JSON.stringify(Object.fromEntries(members)) } };
}

describe('a roll-back of an environment on two hosts', () => {
  test('goes to one restore point on both, and its states have one name', async () => {
    const world = await afterTwo();
    const { result } = await rollBack(onTwoHosts, world, { before: B.release, value: A.value });
    expect(result?.success, result?.output).toBe(true);
    expect(values(world)).toEqual(['one', 'one']);
    const undone = await rollBack(onTwoHosts, world, { undo: true, value: B.value });
    expect(undone.result?.success, undone.result?.output).toBe(true);
    expect(values(world)).toEqual(['two', 'two']);
  });

  test('to one that lacks a host is refused before anything is stopped, and says which; one container alone may go there', async () => {
    const world = await afterTwo();
    onSecond(world, (all) => all.filter(({ name }) => !name.startsWith('pre-deploy-')));
    for (const spec of [{ before: B.release }, { to: `pre-deploy-${B.release}` }]) {
      const { result } = await rollBack(onTwoHosts, world, { ...spec, value: A.value });
      expect(result?.success).toBe(false);
      expect(result?.output).toContain('cannot roll back to pre-deploy-bbbbbbbbbbbb: it is incomplete, host second has no part of it');
      expect(result?.output).toContain('nx run alpha:rollback -c prod --to=pre-deploy-bbbbbbbbbbbb');
    }
    expect(values(world)).toEqual(['two', 'two']);
    const alone = await rollBack(onTwoHosts, world, { to: `pre-deploy-${B.release}`, value: A.value, projects: ['alpha'] });
    expect(alone.result?.success, alone.result?.output).toBe(true);
    expect(values(world)).toEqual(['one', 'two']);
  });

  test('finds by its id what an older version has called otherwise on one host, by either name', async () => {
    for (const name of [`pre-deploy-${B.release}`, `pre-deploy-${B.release}-2`]) {
      const world = await afterTwo();
      onSecond(world, (all) =>
        all.map((one) => (one.name.startsWith('pre-deploy-') ? { ...ofOlderVersion(one), name: `pre-deploy-${B.release}-2` } : one)),
      );
      const { result } = await rollBack(onTwoHosts, world, { to: name, value: A.value });
      expect(result?.success, result?.output).toBe(true);
      expect(values(world)).toEqual(['one', 'one']);
    }
  });

  test('leaves alone what was on no host then', async () => {
    const world = newWorld(onTwoHosts);
    const one: Site = { ...onTwoHosts, environment: { ...onTwoHosts.environment, containers: {} } };
    await succeedsInUse(one, world, { ...A, projects: ['alpha'] });
    await succeedsInUse(onTwoHosts, world, { ...B, newHost: ['second'] });
    const { result } = await rollBack(onTwoHosts, world, { before: B.release, value: A.value });
    expect(result?.output).toContain('left as they are, because they were not there then: m-beta');
    expect(values(world)).toEqual(['one', 'two']);
  });
});
