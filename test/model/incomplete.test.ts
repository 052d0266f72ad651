import { describe, expect, test } from 'vitest';
import { sha } from './deploy.ts';
import { succeedsInUse } from './deployed-on-two-hosts.ts';
import { newWorld, onTwoHosts, onZfs, type Site } from './process.ts';
import { prune, snapshots, status } from './verb.ts';
import type { World } from './world/world.ts';

/** Deploys of `a`, `b` and so on, each with something to change. */
async function deployed(site: Site, releases: string, world = newWorld(site)): Promise<World> {
  for (const digit of releases) await succeedsInUse(site, world, { release: sha(digit), value: digit });
  return world;
}

/** By host, the releases before which its restore points were cut, oldest first. */
function cuts(world: World): string[] {
  return world.all.map(({ zfs }) =>
    [...zfs.datasets.values()]
      .flatMap((dataset) => dataset.snapshots)
      .map(({ name }) => name['pre-deploy-'.length])
      .join(''),
  );
}

const withRetention = (retention: number): Site => ({ ...onTwoHosts, environment: { ...onTwoHosts.environment, retention } });

describe('a restore point that lacks its part on one of two hosts', () => {
  async function leftOut(): Promise<World> {
    const world = await deployed(onTwoHosts, 'ab');
    await succeedsInUse(onTwoHosts, world, { release: sha('c'), value: 'c', projects: ['alpha'], without: ['second'] });
    return world;
  }

  test('is told as incomplete by snapshots, with the host and what it lacks there; the whole one is not', async () => {
    const world = await leftOut();
    const { result } = await snapshots(onTwoHosts, world);
    expect(result?.success).toBe(true);
    expect(result?.output).toMatch(/^pre-deploy-cccccccccccc .* 1, incomplete: host second has no m-beta$/m);
    expect(result?.output.match(/^pre-deploy-bbbbbbbbbbbb .* 1 *$/gm)).toHaveLength(2);
    const { hosts } = JSON.parse((await snapshots(onTwoHosts, world, true)).result?.output ?? '');
    const [first, second] = hosts;
    expect(first.sets[0]).toMatchObject({ missing: [], missingElsewhere: ['m-beta@second'] });
    expect([first.sets[1], ...second.sets].map((set) => 'missingElsewhere' in set)).toEqual([false, false]);
  });

  test('is told as incomplete by status, of the container whose newest one it is', async () => {
    const { result } = await status(onTwoHosts, await leftOut());
    expect(result?.output).toMatch(/^m-alpha .* 2, newest pre-deploy-cccccccccccc, incomplete: host second has no m-beta /m);
    expect(result?.output).toMatch(/^m-beta .* 1, newest pre-deploy-bbbbbbbbbbbb {2}/m);
  });

  test('is not called so where the host that may have it was not asked', async () => {
    const { result } = await snapshots({ ...onTwoHosts, unreachable: ['second'] }, await deployed(onTwoHosts, 'ab'));
    expect(result?.output).not.toContain('incomplete');
    expect((await status(onZfs, await deployed(onZfs, 'ab'))).result?.output).not.toContain('incomplete');
  });

  test('does not count for retention, on either host', async () => {
    const world = await leftOut();
    const { result } = await prune(withRetention(1), world, []);
    expect(result?.success, result?.output).toBe(true);
    expect(cuts(world)).toEqual(['bc', 'b']);
  });
});

describe('the parts of a restore point on two hosts', () => {
  test('stay both where one is held, and go both where none is', async () => {
    const world = await deployed(withRetention(9), 'abcde');
    expect(cuts(world)).toEqual(['bcde', 'bcde']);
    world.second?.zfs.hold('mine', `tank/incus/containers/m-beta@pre-deploy-${sha('c')}`);
    const dry = await prune(withRetention(1), world, [], undefined, { dryRun: true });
    expect(dry.result?.output).toContain('model: destroy pre-deploy-bbbbbbbbbbbb: no rule keeps it');
    expect(dry.result?.output).toContain('model: keep pre-deploy-cccccccccccc: its part on host second stays: it is held (zfs holds');
    const { result } = await prune(withRetention(1), world, []);
    expect(result?.success, result?.output).toBe(true);
    expect(cuts(world)).toEqual(['ce', 'ce']);
  });

  test('are decided together by a deploy that prunes, too', async () => {
    const world = await deployed(withRetention(9), 'abcde');
    world.zfs.hold('mine', `tank/incus/containers/m-alpha@pre-deploy-${sha('c')}`);
    const output = await succeedsInUse(withRetention(1), world, { release: sha('f'), value: 'f' });
    expect(output).toContain('model: pruned pre-deploy-bbbbbbbbbbbb');
    expect(output).toContain('second: pruned pre-deploy-bbbbbbbbbbbb');
    expect(cuts(world)).toEqual(['cef', 'cef']);
  });
});
