import { describe, expect, test } from 'vitest';
import { type DeploySpec, deploy, sha } from './deploy.ts';
import { succeedsInUse } from './deployed-on-two-hosts.ts';
import { newWorld, onTwoHosts } from './process.ts';
import { snapshotNames } from './use-cases.ts';
import { plan } from './verb.ts';
import type { World } from './world/world.ts';

const FIRST: DeploySpec = { release: sha('a'), value: 'one' };
const NEXT: DeploySpec = { release: sha('b'), value: 'two' };

/** Both hosts with a container each, after a deploy. */
async function deployed(): Promise<World> {
  const world = newWorld(onTwoHosts);
  await succeedsInUse(onTwoHosts, world, FIRST);
  return world;
}

/** By host, the snapshots that the tool has cut: each as its name and the id of its set. */
function cuts(world: World): string[][] {
  return world.all.map(({ zfs }) => {
    const all = [...zfs.datasets.values()].flatMap(({ snapshots }) => snapshots);
    return all.flatMap(({ name, properties: { 'mooring:set': id } }) => (id === undefined ? [] : [`${name} ${id}`]));
  });
}

describe('the restore point of an environment on two hosts', () => {
  test('has one name and one id on both, and is cut on both before the first change on either', async () => {
    const world = await deployed();
    const output = await succeedsInUse(onTwoHosts, world, NEXT);
    const [first, second] = cuts(world);
    expect(first).toHaveLength(1);
    expect(first).toEqual(second);
    expect(output).toContain('snapshot: model: cut pre-deploy-bbbbbbbbbbbb of m-alpha');
    expect(output).toContain('snapshot: second: cut pre-deploy-bbbbbbbbbbbb of m-beta');
    expect(output).toContain('snapshot: not in one moment: the hosts model, second each cut their own part');
  });

  test('is there on both, whenever a run is killed, once anything is changed on either', async () => {
    const start = await deployed();
    const { commands } = await deploy(onTwoHosts, start.clone(), NEXT);
    let changed = 0;
    for (let at = 1; at <= commands; at++) {
      const world = start.clone();
      await deploy(onTwoHosts, world, NEXT, { at, way: 'process gone' });
      const values = world.all.flatMap(({ incus }) => [...incus.instances.values()].map((one) => incus.contentOf(one).get('value')));
      if (!values.includes(NEXT.value)) continue;
      changed++;
      const [first, second] = cuts(world);
      expect(first, `killed at ${at}`).toHaveLength(1);
      expect(first, `killed at ${at}`).toEqual(second);
    }
    expect(changed).toBeGreaterThan(0);
  });

  test('is incomplete where one host cannot cut: nothing is changed on any, what was cut stays and is told, and the next run cuts both', async () => {
    const world = await deployed();
    const { commands } = await deploy(onTwoHosts, world.clone(), NEXT);
    const told: string[] = [];
    for (let at = 1; at <= commands; at++) {
      const copy = world.clone();
      const { result } = await deploy(onTwoHosts, copy, NEXT, { at, way: 'command fails' });
      const [first = [], second = []] = cuts(copy);
      if (first.length !== 1 || second.length !== 0) continue;
      told.push(result?.output ?? '');
      expect(result?.success).toBe(false);
      const values = copy.all.flatMap(({ incus }) => [...incus.instances.values()].map((one) => incus.contentOf(one).get('value')));
      expect(values).not.toContain(NEXT.value);
      const again = await succeedsInUse(onTwoHosts, copy, NEXT);
      expect(again).toContain('model: pre-deploy-bbbbbbbbbbbb was not cut whole: m-beta@second is missing from it');
      expect(again).toContain('second: cut pre-deploy-bbbbbbbbbbbb-2 of m-beta');
      const [whole, other] = cuts(copy);
      expect(other).toEqual(whole?.slice(1));
    }
    expect(told.length).toBeGreaterThan(0);
    expect(told.join()).toContain('the part on model is cut and stays, as one of an incomplete restore point');
  });

  test('has no part of what --without leaves out, which is said', async () => {
    const world = await deployed();
    const output = await succeedsInUse(onTwoHosts, world, { ...NEXT, projects: ['alpha'], without: ['second'] });
    expect(output).toContain('snapshot: incomplete: it has no part of m-beta on host second, which --without leaves out');
    const next = await succeedsInUse(onTwoHosts, world, { ...NEXT, release: sha('c'), value: 'three' });
    const [first, second] = cuts(world);
    expect(second).toEqual(first?.slice(1));
    expect(next).toContain('the last completed release is bbbbbbbbbbbb on model, aaaaaaaaaaaa on second');
  });

  test('covers no host that was added after it, and the first change of the next deploy is after one that does', async () => {
    const world = newWorld(onTwoHosts);
    await succeedsInUse({ ...onTwoHosts, environment: { ...onTwoHosts.environment, containers: {} } }, world, {
      ...FIRST,
      projects: ['alpha'],
    });
    world.incus.instances.delete('default/m-beta');
    world.zfs.datasets.delete('tank/incus/containers/m-beta');
    const added = await deploy(onTwoHosts, world, { ...NEXT, create: ['beta'], newHost: ['second'] });
    expect(added.result?.success, added.result?.output).toBe(true);
    expect(cuts(world).map(({ length }) => length)).toEqual([1, 0]);
    world.pass(10);
    await succeedsInUse(onTwoHosts, world, { release: sha('c'), value: 'three' });
    const [first, second] = cuts(world);
    expect(second).toEqual(first?.slice(1));
  });

  test('is foreseen once for both by plan, which says where it has not asked a host', async () => {
    const world = await deployed();
    const both = await plan(onTwoHosts, world);
    expect(both.result?.output.match(/would be cut/g)).toHaveLength(1);
    expect((await plan(onTwoHosts, world, 'alpha')).result?.output).toContain('second was not asked; a deploy decides by all hosts');
  });

  test('is cut on both where the last completed release is deployed again and only one container changes', async () => {
    const world = await deployed();
    await succeedsInUse(onTwoHosts, world, NEXT);
    const before = cuts(world);
    await succeedsInUse(onTwoHosts, world, NEXT);
    expect(cuts(world)).toEqual(before);
    const output = await succeedsInUse(onTwoHosts, world, { ...NEXT, value: 'three', projects: ['beta'] });
    const [first, second] = cuts(world);
    expect(first).toHaveLength(2);
    expect(first).toEqual(second);
    expect(output).toContain('prod: model: cut pre-deploy-bbbbbbbbbbbb-2 of m-alpha');
  });

  test('has a name that is free on both, where an older version gave the same release different ones', async () => {
    const world = await deployed();
    world.second?.zfs.cut([`tank/incus/containers/m-beta@pre-deploy-${NEXT.release}-4`], {});
    await succeedsInUse(onTwoHosts, world, NEXT);
    expect(snapshotNames(world)).toContain(`pre-deploy-${NEXT.release}-5`);
    const [first] = cuts(world);
    expect(first).toEqual([expect.stringMatching(/^pre-deploy-b{40}-5 /)]);
  });
});
