import { expect, test } from 'vitest';
import { deploy, sha } from './deploy.ts';
import { newWorld, onBtrfs, onZfs, type Site } from './process.ts';
import { drill } from './verb.ts';
import type { World } from './world/world.ts';

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
