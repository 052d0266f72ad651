import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validSeconds } from '../../tools/executors/src/lease/lease.ts';
import { type DeployResult, type DeploySpec, deploy, sha } from './deploy.ts';
import { newWorld, type Process, type Site } from './process.ts';
import { drill, prune, type RollbackSpec, rollBack } from './verb.ts';
import { type Fate, WAYS } from './world/host.ts';
import type { World } from './world/world.ts';

/** What befalls a process, and whether it waits for the lease of another. */
type Ended = { readonly fate: Fate | undefined; readonly patient: boolean };

/** One thing that happens to an environment. */
type Step =
  | { readonly do: 'write' }
  | { readonly do: 'wait'; readonly seconds: number }
  | ({ readonly do: 'deploy'; readonly spec: DeploySpec } & Ended)
  | ({ readonly do: 'roll back'; readonly spec: RollbackSpec } & Ended)
  /** In place, with everything named that it says it would destroy. */
  | ({ readonly do: 'in place'; readonly release: string } & Ended)
  | ({ readonly do: 'prune' } & Ended)
  | ({ readonly do: 'drill' } & Ended)
  /** Of what roll-backs left, the oldest is named. */
  | ({ readonly do: 'prune kept' } & Ended)
  /** By hand: an operator starts or stops a container, holds a snapshot, makes one of Incus. */
  | { readonly do: 'by hand'; readonly what: 'start' | 'stop' | 'hold' | 'snapshot' };

const RELEASES = ['a', 'b', 'c'].map(sha);

const fate = fc.option(fc.record({ at: fc.integer({ min: 1, max: 60 }), way: fc.constantFrom(...WAYS, 'command fails' as const) }), {
  nil: undefined,
  freq: 2,
});
const release = fc.constantFrom(...RELEASES);
const value = fc.constantFrom('one', 'two', 'one', 'two', 'one', 'two', 'broken');
/** Mostly one waits for the lease of a dead run. */
const patient = fc.constantFrom(true, true, true, true, false);
const projects = fc.constantFrom(['zfs'], ['zfs'], ['alpha'], ['beta']);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ do: 'write' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(5, 100) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('deploy' as const),
      spec: fc.record({ release, value, upTo: fc.constantFrom('configure' as const, 'configure' as const, 'snapshot' as const) }),
      fate,
      patient,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('roll back' as const),
      spec: fc.oneof(
        fc.record({ before: release, value, projects }),
        fc.record({ before: release, value, projects, again: fc.constant(true) }),
        fc.record({ undo: fc.constant(true), value, projects }),
        fc.record({ undo: fc.constant(true), value, projects: fc.constant(['zfs']) }),
      ),
      fate,
      patient,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('in place' as const), release, fate, patient }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prune' as const), fate, patient }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drill' as const), fate, patient }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prune kept' as const), fate, patient }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('by hand' as const),
      what: fc.constantFrom('start' as const, 'stop' as const, 'hold' as const, 'snapshot' as const),
    }),
  },
);

/** How many histories there are on one kind of storage; two kinds make ten thousand. */
const HISTORIES = 5000;
/** So many histories have a beginning in common, which is done once. */
const ENDS = 5;
/** A minute on two cores of which nobody else wants anything. */
const TIMEOUT_MS = 900_000;

const someSteps = fc.array(step, { minLength: 1, maxLength: 4 });
const backFirst = fc.record({
  do: fc.constant('roll back' as const),
  spec: fc.record({ before: fc.constantFrom(...RELEASES.slice(1)), value, projects }),
  fate: fc.constant(undefined),
  patient,
});
const histories = fc.record({
  beginning: fc.oneof(
    someSteps,
    fc.tuple(backFirst, someSteps).map(([first, rest]) => [first, ...rest.slice(0, 2)]),
  ),
  ends: fc.array(fc.array(step, { minLength: 1, maxLength: 2 }), { minLength: ENDS, maxLength: ENDS }),
});

/**
 * Whatever is deployed, written, killed, rolled back, brought back and pruned in whatever order: every byte ever written is in
 * the live state, a snapshot or a preserved state, unless a flag named its loss.
 */
export function neverLoses(kind: string, site: Site): void {
  const seed = Number(process.env.MOORING_SEED ?? Math.floor(Math.random() * 2 ** 31));
  test(
    `${HISTORIES} histories on ${kind} lose nothing (MOORING_SEED=${seed})`,
    async () => {
      const base = newWorld(site);
      for (const [i, release] of RELEASES.entries()) {
        const { result } = await deploy(site, base, { release, value: `${i}` });
        expect(result?.success, result?.output).toBe(true);
        base.writeEverywhere();
      }
      const done = new Map<string, number>();
      let tried = 0;
      const go = async (world: World, steps: readonly Step[]) => {
        for (const one of steps) {
          const ended = await perform(site, world, one);
          done.set(ended, (done.get(ended) ?? 0) + 1);
          expect(world.lost(), ended).toEqual([]);
          expect(world.faults, ended).toEqual([]);
        }
      };
      await fc.assert(
        fc.asyncProperty(histories, async ({ beginning, ends }) => {
          const begun = base.clone();
          await go(begun, beginning);
          for (const end of ends) {
            await go(begun.clone(), end);
            tried++;
          }
        }),
        { numRuns: HISTORIES / ENDS, seed },
      );
      expect(tried).toBeGreaterThanOrEqual(HISTORIES);
      const counts = [...done].sort().map(([ended, count]) => `${ended} ${count}`);
      console.log(`histories tried: ${tried} on ${kind} (MOORING_SEED=${seed}): ${counts.join(', ')}`);
    },
    TIMEOUT_MS,
  );
}

/** @returns how it ended, for the count */
async function perform(site: Site, world: World, one: Step): Promise<string> {
  if ('patient' in one && one.patient && world.files.called('lease').length > 0) world.pass(validSeconds + 1);
  switch (one.do) {
    case 'write':
      world.writeEverywhere();
      return one.do;
    case 'wait':
      world.pass(one.seconds);
      return one.do;
    case 'deploy':
      return ended(one, await deploy(site, world, one.spec, one.fate));
    case 'roll back':
      return ended(one, await rollBack(site, world, one.spec, one.fate));
    case 'in place':
      return inPlace(site, world, one);
    case 'prune':
      return ended(one, await prune(site, world, [], one.fate));
    case 'drill':
      return ended(one, await drill(site, world, 'alpha', one.fate));
    case 'prune kept':
      return pruneKept(site, world, one);
    case 'by hand':
      byHand(site, world, one.what);
      return `${one.what} by hand`;
  }
}

/** What it says it would destroy is named; what of that is lost is no loss any more, and anything else is. */
async function inPlace(site: Site, world: World, one: Step & { do: 'in place' }): Promise<string> {
  const spec = { before: one.release, inPlace: true, value: 'one' };
  const asked = await rollBack(site, world, spec);
  expect(world.lost(), 'in place, with nothing named').toEqual([]);
  const lists = [...(asked.result?.output ?? '').matchAll(/--discard-newer=(\S+)/g)].map(([, names = '']) => names);
  if (lists.length === 0) return 'in place refused';
  const process = await rollBack(
    site,
    world,
    { ...spec, discardNewer: [...new Set(lists.flatMap((names) => names.split(',')))] },
    one.fate,
  );
  for (const fact of world.lost()) world.facts.delete(fact);
  return ended(one, process);
}

/** One thing that a roll-back left is named; what only that held is no loss any more, and anything else is. */
async function pruneKept(site: Site, world: World, one: Step & { do: 'prune kept' }): Promise<string> {
  const kept = [...world.zfs.datasets.keys()].filter((name) => name.startsWith('tank/mooring/'));
  const sets = [...world.incus.instances.values()].flatMap(({ snapshots }) => snapshots.map(({ name }) => name));
  const [name] = [...kept, ...sets.filter((set) => set.startsWith('pre-rollback-'))];
  if (name === undefined) return 'prune kept: nothing there';
  const given = givenUp(world, name);
  const process = await prune(site, world, [name], one.fate);
  for (const fact of given) world.facts.delete(fact);
  return ended(one, process);
}

/**
 * Facts that are given up by naming a preserved state, or the snapshots of a name: those that no live state and no other preserved state
 * has. A restore point may still have them; it goes by its own rules.
 */
function givenUp(world: World, name: string): string[] {
  const rest = world.clone();
  const isKept = (snapshot: { name: string }) => snapshot.name !== name && snapshot.name.startsWith('pre-rollback-');
  rest.zfs.datasets.delete(name);
  for (const [key, one] of rest.zfs.datasets) rest.zfs.datasets.set(key, { ...one, snapshots: one.snapshots.filter(isKept) });
  for (const [key, one] of rest.incus.instances) rest.incus.instances.set(key, { ...one, snapshots: one.snapshots.filter(isKept) });
  return rest.lost();
}

function ended(one: Step, { result }: Process<DeployResult>): string {
  const name = one.do === 'roll back' && one.spec.undo ? 'undo' : one.do;
  if (result === undefined) return `${name} killed`;
  return `${name} ${result.success ? (/: nothing to do/.test(result.output) ? 'done before' : 'done') : 'failed'}`;
}

function byHand(site: Site, world: World, what: 'start' | 'stop' | 'hold' | 'snapshot'): void {
  const instance = world.incus.instances.get(`${site.environment.incus.project}/m-alpha`);
  const dataset = instance && world.incus.datasetOf(instance);
  if (instance === undefined) return;
  try {
    if (what === 'start') world.incus.start(instance.name, instance.project);
    else if (what === 'stop') world.incus.stop(instance.name, instance.project);
    else if (what === 'snapshot') world.incus.snapshotCreate(instance.name, instance.project, `by-hand-${world.zfs.txg}`);
    else if (dataset !== undefined) world.zfs.hold('by-hand', `${dataset}@${world.zfs.dataset(dataset).snapshots.at(-1)?.name}`);
  } catch {
    // The real tools refuse what cannot be done now, and an operator goes on.
  }
}
