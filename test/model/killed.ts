import { afterAll, expect, test } from 'vitest';
import type { AuditEntry } from '../../tools/executors/src/audit/audit.ts';
import { MooringError } from '../../tools/executors/src/engine/errors.ts';
import { validSeconds } from '../../tools/executors/src/lease/lease.ts';
import { verified } from '../../tools/executors/src/usecases/configure.ts';
import { hasChanges, planContainer } from '../../tools/executors/src/usecases/plan.ts';
import { openRun } from '../../tools/executors/src/usecases/run.ts';
import { isLook, type Survey, survey } from '../../tools/executors/src/usecases/survey.ts';
import { type DeploySpec, deploy, sha } from './deploy.ts';
import { ENVIRONMENT, newWorld, type Process, runProcess, type Site } from './process.ts';
import { drill, prune, type RollbackSpec, rollBack } from './verb.ts';
import { type Fate, WAYS } from './world/host.ts';
import type { World } from './world/world.ts';
import type { Content } from './world/zfs.ts';

const A: DeploySpec = { release: sha('a'), value: 'one' };
const B: DeploySpec = { release: sha('b'), value: 'two' };
const C: DeploySpec = { release: sha('c'), value: 'three' };
const D: DeploySpec = { release: sha('d'), value: 'four' };

/** A command of the tool that is killed, in the world where it is run. */
type UseCase = {
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

const USE_CASES: UseCase[] = [
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

let tried = 0;
afterAll(() => console.log(`kill points tried: ${tried}`));

/** Every use case on one kind of storage. */
export function killedEverywhere(site: Site): void {
  test.each(USE_CASES.filter(({ only }) => only === undefined || isOnZfs(site)))(
    '$name: the second run converges and nothing is lost',
    async (useCase) => {
      const start = await useCase.before(site);
      const whole = start.clone();
      const { commands, result } = await useCase.run(site, whole);
      expect(result?.success, result?.output).toBe(true);
      await expectSettled(site, useCase, start, whole, 'not killed');

      const failures: string[] = [];
      let points = 0;
      for (let at = 1; at <= commands; at++) {
        for (const way of WAYS) {
          const failure = await killed(site, useCase, start, { at, way }).then(
            () => undefined,
            (error: Error) => error.message,
          );
          if (failure !== undefined) failures.push(failure);
        }
        points++;
      }
      expect(failures.join('\n\n')).toBe('');
      expect(points).toBe(commands);
      tried += points * WAYS.length;
      console.log(`${useCase.name}: killed after each of its ${commands} commands, in ${WAYS.length} ways`);
    },
  );
}

async function killed(site: Site, useCase: UseCase, start: World, fate: Fate): Promise<void> {
  const world = start.clone();
  const where = `${fate.way} at command ${fate.at}`;
  const first = await useCase.run(site, world, fate);
  expect(first.commands, where).toBeGreaterThanOrEqual(fate.at);
  // What is told as a success is one: only a failing quiesce hook, and a lease that could not be given back, are no failure.
  if (first.result?.success) {
    for (const path of world.files.called('lease')) world.files.remove(path);
    await expectSettled(site, useCase, start, world, `${where}, told as a success`);
  }
  world.writeEverywhere();
  world.pass(validSeconds + 1);
  const second = await useCase.run(site, world);
  expect(second.result?.success, `${where}\n${second.result?.output}`).toBe(true);
  await expectSettled(site, useCase, start, world, where);
}

async function expectSettled(site: Site, useCase: UseCase, start: World, world: World, where: string): Promise<void> {
  expect(world.faults, where).toEqual([]);
  expect(world.lost(), where).toEqual([]);
  expect(world.files.called('lease'), `${where}: a lease is left`).toEqual([]);
  const seen = await look(site, world, useCase.value);
  const before = snapshotNames(start);
  // Where Incus restores, a cut is all that is kept of a state that was left: each attempt that leaves one cuts it.
  for (const kind of ['pre-deploy-', ...(isOnZfs(site) ? ['pre-rollback-'] : [])]) {
    const added = wholeSets(seen.survey).filter((name) => name.startsWith(kind) && !before.includes(name));
    expect(added.length, `${where}: ${added}`).toBeLessThanOrEqual(1);
  }
  if (useCase.configures) expect(seen.changes, where).toEqual([]);
  useCase.also?.(world, where, start);
  expect(seen.unhealthy, where).toEqual([]);
}

/** Looks as a process of its own: what would be changed, and who is not healthy. */
async function look(site: Site, world: World, value: string): Promise<{ survey: Survey; changes: string[]; unhealthy: string[] }> {
  const { result } = await runProcess(site, world, value, async (root, runId) => {
    const run = await openRun({ root, runId, environment: ENVIRONMENT, signal: new AbortController().signal, print: () => {} });
    const seen = await survey(run, run.environment.host, run.targets);
    const flags = { create: [], adopt: [], startSeconds: 1 };
    const changes = run.targets.filter((target) => hasChanges(planContainer(target, seen, flags))).map(({ instance }) => instance);
    const unhealthy: string[] = [];
    for (const target of run.targets) {
      const guest = seen.guests.get(target.instance);
      const health = isLook(guest) ? await verified(target, guest).catch((error: unknown) => error) : guest;
      if (health === undefined || health instanceof MooringError) unhealthy.push(target.instance);
    }
    return { survey: seen, changes, unhealthy };
  });
  if (result === undefined) throw new Error('the look is gone');
  return result;
}

function wholeSets({ points }: Survey): string[] {
  return points.sets.filter(({ missing }) => missing.length === 0).map(({ name }) => name);
}

/** Names of all snapshots of a world. */
function snapshotNames(world: World): string[] {
  const zfs = [...world.zfs.datasets.values()].flatMap(({ snapshots }) => snapshots.map(({ name }) => name));
  const incus = [...world.incus.instances.values()].flatMap(({ snapshots }) => snapshots.map(({ name }) => name));
  return [...zfs, ...incus];
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

function isOnZfs(site: Site): boolean {
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
