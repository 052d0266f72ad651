import { expect, test } from 'vitest';
import { deploy, sha } from './deploy.ts';
import { newWorld, onBtrfs, onZfs, type Site } from './process.ts';
import { drill, rollBack } from './verb.ts';
import { isOfDrill, type World } from './world/world.ts';

const FACTS = 3;

/** A world with a restore point that has some facts, and more of them since. */
async function worldOf(site: Site): Promise<World> {
  const world = newWorld(site);
  for (const release of ['a', 'b'].map(sha)) {
    const { result } = await deploy(site, world, { release, value: 'one' });
    expect(result?.success, result?.output).toBe(true);
    for (let i = 0; i < FACTS; i++) world.writeEverywhere();
    world.pass(10);
  }
  return world;
}

test.each([
  ['ZFS', onZfs],
  ['btrfs', onBtrfs],
])('a drill counts what the restore point holds, and not what the live container has (%s)', async (_, site) => {
  const world = await worldOf(site);
  const alpha = world.incus.get('m-alpha', site.environment.incus.project);
  const held = [...world.incus.contentOf(alpha).keys()].filter((key) => key.startsWith('fact ')).length;
  const { result } = await drill(site, world, 'alpha');
  expect(result?.success, result?.output).toBe(true);
  const [, counted] = result?.output.match(/store facts: (\d+) facts/) ?? [];
  expect(Number(counted), result?.output).toBeGreaterThanOrEqual(FACTS);
  expect(Number(counted)).toBeLessThan(held);
});

test.each([
  ['ZFS', onZfs],
  ['btrfs', onBtrfs],
])('an answer that is lost once the copy was healthy does not make of a proof that there is none (%s)', async (_, site) => {
  const start = await worldOf(site);
  const whole = start.clone();
  const { commands } = await drill(site, whole, 'alpha');
  const told: string[] = [];
  for (let at = 1; at <= commands; at++) {
    const world = start.clone();
    const { result } = await drill(site, world, 'alpha', { at, way: 'answer lost' });
    const { success, output = '' } = result ?? {};
    told.push(
      success
        ? 'proved'
        : /can be restored, but drill-\S+ may be left/.test(output)
          ? 'left'
          : /was not proved/.test(output)
            ? 'not proved'
            : 'failed',
    );
  }
  // The answer to the last command, that gives the lease back, is not needed.
  expect(told.at(-1)).toBe('proved');
  expect(told).toContain('left');
  expect(told.indexOf('left')).toBeGreaterThan(told.lastIndexOf('not proved'));
});

test.each([
  ['ZFS', onZfs],
  ['btrfs', onBtrfs],
])('what a killed drill left is taken away after a roll-back and an undo, too (%s)', async (_, site) => {
  const start = await worldOf(site);
  const { commands } = await drill(site, start.clone(), 'alpha');
  let left = 0;
  for (let at = 1; at <= commands; at++) {
    const world = start.clone();
    const where = `process gone at command ${at}`;
    await drill(site, world, 'alpha', { at, way: 'process gone' });
    world.pass(100);
    left += drillsOf(world).length;
    for (const spec of [{ before: sha('b') }, { undo: true }]) {
      const back = await rollBack(site, world, { ...spec, value: 'one' });
      expect(back.result?.success, `${where}\n${back.result?.output}`).toBe(true);
      if (spec.undo) continue;
      // The drill of what is there now takes away what was left of another state.
      const between = world.clone();
      const { result } = await drill(site, between, 'alpha');
      expect(result?.success, `${where}\n${result?.output}`).toBe(true);
      expect(drillsOf(between), where).toEqual([]);
      expect(between.lost(), where).toEqual([]);
    }
    const { result } = await drill(site, world, 'alpha');
    expect(result?.success, `${where}\n${result?.output}`).toBe(true);
    expect(drillsOf(world), where).toEqual([]);
    expect(world.lost(), where).toEqual([]);
  }
  expect(left).toBeGreaterThan(0);
});

/** Instances and datasets of drills. */
function drillsOf(world: World): string[] {
  return [...world.incus.instances.keys(), ...world.zfs.datasets.keys()].filter(isOfDrill);
}
