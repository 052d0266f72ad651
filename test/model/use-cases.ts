import { expect } from 'vitest';
import type { AuditEntry } from '../../tools/executors/src/audit/audit.ts';
import { type DeploySpec, deploy, sha } from './deploy.ts';
import { ENVIRONMENT, newWorld, type Process, type Site } from './process.ts';
import { drill, prune, type RollbackSpec, rollBack } from './verb.ts';
import type { Content } from './world/dataset.ts';
import type { Fate } from './world/host.ts';
import type { World } from './world/world.ts';

const A: DeploySpec = { release: sha('a'), value: 'one' };
const B: DeploySpec = { release: sha('b'), value: 'two' };
const C: DeploySpec = { release: sha('c'), value: 'three' };
const D: DeploySpec = { release: sha('d'), value: 'four' };

/** A command of the tool that is killed, in the world where it is run. */
export type UseCase = {
  readonly name: string;
  readonly before: (site: Site) => Promise<World>;
  readonly run: (site: Site, world: World, fate?: Fate) => Promise<Process<{ success: boolean; output: string }>>;
  /** What the settings of the workspace say. */
  readonly value: string;
  /** Whether it leaves nothing to be changed. */
  readonly configures: boolean;
  /** What else must be so when it is done. */
  readonly also?: (world: World, where: string, start: World) => void;
  /** The one kind of storage that it is for. */
  readonly only?: 'zfs';
};

const IN_PLACE = { inPlace: true, discardNewer: [`pre-deploy-${C.release.slice(0, 12)}`, 'snapshot-by-hand', 'present'] };

/** What is killed. */
export const USE_CASES: UseCase[] = [
  deployed('the first deploy', [], A),
  deployed('a deploy of a second release', [A], B),
  deployed('the same release again, with a change', [A, B], { ...B, value: 'three' }),
  deployed('the same release again, without a change', [A, B], B),
  deployed('an old release again', [A, B], A),
  deployed('a deploy that prunes', [A, B, C, { ...C, value: 'x' }, B, { ...B, value: 'y' }, C], D),
  deployed('a deploy after one that failed', [A, { ...B, value: 'broken' }], B),
  deployed('a snapshot', [A], { ...B, upTo: 'snapshot' }),
  {
    name: 'an adoption',
    before: async (site) => {
      const world = await worldAfter(site, [A]);
      const { incus } = site.environment;
      const { config } = world.incus.get('m-alpha', incus.project);
      const marks = Object.keys(config).filter((key) => key.startsWith('user.mooring.'));
      world.incus.setConfig('m-alpha', incus.project, Object.fromEntries(marks.map((key) => [key, undefined])));
      return world;
    },
    run: (site, world, fate) => deploy(site, world, { ...B, adopt: ['alpha'] }, fate),
    value: B.value,
    configures: true,
  },
  {
    name: 'a prune by its rules',
    before: async (site) => {
      const world = await worldAfter(site, [A, B, C]);
      return worldAfter({ ...site, environment: { ...site.environment, retention: 9 } }, [D, A, { ...A, value: 'x' }, B], world);
    },
    run: (site, world, fate) => prune(site, world, [], fate),
    value: B.value,
    configures: true,
    also(world, where) {
      // Six there were, and two are to be kept: with the state before each release, fewer than six.
      const names = new Set(snapshotNames(world).filter((name) => name.startsWith('pre-deploy-')));
      expect(names.size, where).toBeLessThan(6);
    },
  },
  rolledBack('a roll-back', [A, B], { before: B.release, value: A.value }, A.value),
  rolledBack('a roll-back of one container', [A, B], { before: B.release, value: A.value, projects: ['alpha'] }, A.value),
  rolledBack('a roll-back over a later release', [A, B, C], { before: B.release, value: A.value }, A.value),
  {
    ...rolledBack('a roll-back in place', [A, B, C], { ...IN_PLACE, before: B.release, value: A.value }, A.value),
    before: async (site) => {
      const world = await worldAfter(site, [A, B, C]);
      world.incus.snapshotCreate('m-alpha', site.environment.incus.project, 'by-hand');
      world.writeEverywhere();
      // Incus's own is called otherwise by Incus than by ZFS.
      for (const name of [`pre-deploy-${C.release}`, 'snapshot-by-hand', 'by-hand', 'present']) world.named.add(name);
      return world;
    },
    only: 'zfs',
  },
  {
    ...rolledBack('an undo', [A, B], { undo: true, value: B.value }, B.value),
    before: (site) => worldRolledBack(site),
  },
  {
    ...rolledBack('an undo of one container', [A, B], { undo: true, value: B.value, projects: ['alpha'] }, B.value),
    before: (site) => worldRolledBack(site),
  },
  {
    name: 'a prune of what a roll-back left',
    before: async (site) => {
      const world = await worldRolledBack(site);
      const kept = [...world.zfs.datasets.keys()].filter((name) => name.startsWith('tank/mooring/'));
      for (const name of isOnZfs(site) ? kept : [`pre-rollback-${B.release}`]) world.named.add(name);
      return world;
    },
    run: (site, world, fate) => prune(site, world, [...world.named], fate),
    value: A.value,
    configures: false,
    also(world, where) {
      const left = [...snapshotNames(world), ...world.zfs.datasets.keys()];
      expect(
        left.filter((name) => world.named.has(name)),
        where,
      ).toEqual([]);
    },
  },
  {
    name: 'a drill',
    before: (site) => worldAfter(site, [A, B]),
    run: (site, world, fate) => drill(site, world, 'alpha', fate),
    value: B.value,
    configures: true,
    also(world, where, start) {
      // What an earlier drill left is gone, and of the live one nothing is changed.
      expect(inventory(world), where).toEqual(inventory(start));
      // Of each drill the log tells one end, and that nothing was proved only where it was not.
      const log = (world.files.read(`/var/lib/mooring/${ENVIRONMENT}/audit.jsonl`) ?? '').split('\n').filter(Boolean);
      const ends = log.map((line) => JSON.parse(line) as AuditEntry).filter(({ what }) => what === 'drill');
      expect(new Set(ends.map(({ run }) => run)).size, where).toBe(ends.length);
    },
  },
];

/** Names of all snapshots of a world. */
export function snapshotNames(world: World): string[] {
  return world.all.flatMap(({ zfs, incus }) =>
    [...zfs.datasets.values(), ...incus.instances.values()].flatMap(({ snapshots }) => snapshots.map(({ name }) => name)),
  );
}

function deployed(name: string, before: readonly DeploySpec[], spec: DeploySpec): UseCase {
  return {
    name,
    before: (site) => worldAfter(site, before),
    run: (site, world, fate) => deploy(site, world, spec, fate),
    value: spec.value,
    configures: spec.upTo === undefined,
  };
}

function rolledBack(name: string, before: readonly DeploySpec[], spec: RollbackSpec, value: string): UseCase {
  return {
    name,
    before: (site) => worldAfter(site, before),
    run: (site, world, fate) => rollBack(site, world, spec, fate),
    value: spec.value,
    configures: false,
    also(world, where) {
      for (const instance of world.incus.instances.values()) {
        const concerned = spec.projects?.some((project) => instance.name === `m-${project}`) ?? true;
        if (concerned) expect(world.incus.contentOf(instance).get('value'), where).toBe(value);
      }
    },
  };
}

/** A world that has been rolled back from B to A, and written to since. */
async function worldRolledBack(site: Site): Promise<World> {
  const world = await worldAfter(site, [A, B]);
  const { result } = await rollBack(site, world, { before: B.release, value: A.value });
  expect(result?.success, result?.output).toBe(true);
  world.writeEverywhere();
  world.pass(10);
  return world;
}

/** Whether all of a site is on ZFS. */
export function isOnZfs(site: Site): boolean {
  return site.world.pools.every(({ driver }) => driver === 'zfs');
}

/** All that there is but what users write: instances with their configuration and since when they run, datasets, snapshots. */
function inventory({ incus, zfs }: World): unknown {
  const settings = (content: Content | undefined) => [...(content ?? [])].filter(([key]) => !key.startsWith('fact '));
  const settled = <T extends { readonly content?: Content }>(all: Map<string, T>) =>
    [...all].map(([name, one]) => ({ name, one: { ...one, content: settings(one.content) } }));
  return [settled(incus.instances), settled(zfs.datasets)];
}

/** A world after these deploys, with facts written after each. */
async function worldAfter(site: Site, specs: readonly DeploySpec[], world = newWorld(site)): Promise<World> {
  for (const spec of specs) {
    const { result } = await deploy(site, world, spec);
    if (spec.value !== 'broken') expect(result?.success, result?.output).toBe(true);
    world.writeEverywhere();
    world.pass(10);
  }
  return world;
}
