import { expect } from 'vitest';
import { deploy, sha } from './deploy.ts';
import { newWorld, onZfs } from './process.ts';
import type { World } from './world/world.ts';

/** What the containers hold before release B and since. */
export const [OLD, NEW] = ['one', 'two'];

/** A world on ZFS in which release A was deployed and then B, and users have written after each. */
export async function worldOfTwoReleases(): Promise<World> {
  const world = newWorld(onZfs);
  for (const [release, value] of [
    [sha('a'), OLD],
    [sha('b'), NEW],
  ] as const) {
    const { result } = await deploy(onZfs, world, { release, value });
    expect(result?.success, result?.output).toBe(true);
    world.writeEverywhere();
    world.pass(10);
  }
  return world;
}
