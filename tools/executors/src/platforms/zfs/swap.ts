import type { Change } from '../../engine/change.ts';
import { type Command, script, write } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import { requireSetName } from '../../snapshots/name.ts';
import { PRESERVED_PROPERTY, type PreservedMark, renderPreserved } from '../../snapshots/preserved.ts';
import type { Lineage, Lineages } from './lineage.ts';

/** Renaming and cloning are a moment's work for any amount of data; a pool that takes longer hangs. */
const TIMEOUT_MS = 120_000;

/** One dataset that is to be exchanged for another state. */
export type Swap = {
  /** Its name while it is live: the one that Incus knows. */
  readonly live: string;
  /** Where the present state goes. */
  readonly kept: string;
  /** What is written on it there. `local` is what the new live dataset gets. */
  readonly mark: PreservedMark;
};

/** What is seen of a dataset that goes back to a snapshot: a run that was killed anywhere left one of these. */
export type AtSnapshot = 'untouched' | 'renamed' | 'cloned' | 'promoted' | 'lost' | 'not ours';
type SnapshotStep = 'keep' | 'free' | 'clone' | 'promote';

/** What comes next, from what is seen: so what has been done is not done again. A text is why nothing may be done. */
export const TO_SNAPSHOT: Readonly<Record<AtSnapshot, readonly SnapshotStep[] | Refusal>> = {
  untouched: ['keep', 'clone', 'promote'],
  renamed: ['free', 'clone', 'promote'],
  cloned: ['promote'],
  promoted: [],
  lost: 'lost',
  'not ours': 'unknown',
};

/** What is seen of a dataset that is exchanged for a preserved state. */
export type AtPreserved = 'untouched' | 'renamed' | 'brought back' | 'settled' | 'crowded' | 'gone';
type PreservedStep = 'keep' | 'bring back' | 'settle';

/** As {@link TO_SNAPSHOT}. */
export const TO_PRESERVED: Readonly<Record<AtPreserved, readonly PreservedStep[] | Refusal>> = {
  untouched: ['keep', 'bring back', 'settle'],
  renamed: ['bring back', 'settle'],
  'brought back': ['settle'],
  settled: [],
  // The state to bring back, the live one and the one to keep: no run of this roll-back leaves all three.
  crowded: 'unknown',
  gone: 'unknown',
};

/** Why nothing may be done: neither dataset exists, or they are not as this roll-back makes them. */
type Refusal = 'lost' | 'unknown';

/**
 * Exchanges the live state for a snapshot of it, and loses nothing: the present state is renamed, a clone of its snapshot
 * takes its place and is promoted, so that it stands on nothing else. What has been done already is not done again: a run
 * that was killed anywhere in between is finished by the same call.
 *
 * @param seen lineages of `live` and `kept`
 * @throws SafetyError when what is there cannot have come from this roll-back
 */
export function swapToSnapshot(swap: Swap, snapshot: string, seen: Lineages): Change[] {
  const { live, kept, mark } = swap;
  const before = lineage(seen, kept);
  // Once it is renamed, its mark says what it had.
  const local = before?.kept?.local ?? mark.local;
  const steps: Record<SnapshotStep, () => Change[]> = {
    keep: () => [keep(swap)],
    free: () => freed(kept, before?.local ?? {}),
    clone: () => [clone(live, `${kept}@${requireSetName(snapshot)}`, local)],
    promote: () => [promote(live)],
  };
  return stepsOf(TO_SNAPSHOT[atSnapshot(swap, requireSetName(snapshot), seen)], swap).flatMap((step) => steps[step]());
}

/** What is seen of a dataset on its way to a snapshot. Pure. */
export function atSnapshot({ live, kept }: Pick<Swap, 'live' | 'kept'>, snapshot: string, seen: Lineages): AtSnapshot {
  const [now, before] = [lineage(seen, live), lineage(seen, kept)];
  if (now === undefined) return before === undefined ? 'lost' : 'renamed';
  if (now.origin === `${kept}@${snapshot}`) return 'cloned';
  if (before === undefined) return 'untouched';
  return before.origin === `${live}@${snapshot}` ? 'promoted' : 'not ours';
}

/**
 * Exchanges the live state for one that was kept: nothing is copied, nothing is lost, and it can be taken back the same way.
 * What has been done already is not done again.
 *
 * @param source the preserved state's dataset
 * @param seen lineages of `live`, `kept` and `source`
 */
export function swapToPreserved(swap: Swap, source: string, seen: Lineages): Change[] {
  const { live, kept, mark } = swap;
  const [now, before, wanted] = [lineage(seen, live), lineage(seen, kept), lineage(seen, source)];
  // The origin's name changes with the dataset that it is a snapshot of.
  const origin = now === undefined ? wanted?.origin : wanted?.origin?.replace(`${live}@`, `${kept}@`);
  const steps: Record<PreservedStep, () => Change[]> = {
    keep: () => [keep(swap)],
    'bring back': () => [rename(source, live, `the state kept as ${source} becomes the live one`)],
    settle: () => settle(live, wanted === undefined ? now?.origin : origin, kept, before?.kept?.local ?? mark.local),
  };
  return stepsOf(TO_PRESERVED[atPreserved(swap, source, seen)], swap).flatMap((step) => steps[step]());
}

/** What is seen of a dataset on its way to a preserved state. Pure. */
export function atPreserved({ live, kept }: Pick<Swap, 'live' | 'kept'>, source: string, seen: Lineages): AtPreserved {
  const [now, before, wanted] = [lineage(seen, live), lineage(seen, kept), lineage(seen, source)];
  if (wanted !== undefined) {
    if (now === undefined) return 'renamed';
    return before === undefined ? 'untouched' : 'crowded';
  }
  if (now === undefined || before === undefined) return 'gone';
  return now.kept === undefined && !standsOn(now.origin, kept) ? 'settled' : 'brought back';
}

function stepsOf<Step extends string>(next: readonly Step[] | Refusal, swap: Swap): readonly Step[] {
  if (next === 'lost') throw lost(swap);
  if (next === 'unknown') throw unknownState(swap);
  return next;
}

/** What is left to do once a preserved state has its live name: it stands on nothing else, has the live one's properties and no mark. */
function settle(live: string, origin: string | undefined, kept: string, local: Readonly<Record<string, string>>): Change[] {
  const properties = Object.entries(local).map(([name, value]) => `${name}=${value}`);
  const commands = [zfs('inherit', PRESERVED_PROPERTY, live)];
  if (properties.length > 0) commands.unshift(zfs('set', ...properties, live));
  return [
    ...(standsOn(origin, kept) ? [promote(live)] : []),
    change(`dataset ${live}`, 'update', 'its properties are those that the live one had', commands),
  ];
}

function standsOn(origin: string | undefined, other: string): boolean {
  return origin?.startsWith(`${other}@`) ?? false;
}

function keep({ live, kept, mark }: Swap): Change {
  const parent = kept.slice(0, kept.lastIndexOf('/'));
  return change(`dataset ${live}`, 'update', `the present state is kept as ${kept}`, [
    zfs('create', '-p', '-o', 'mountpoint=none', '-o', 'canmount=off', parent),
    mustBeUnmounted(live),
    zfs('set', `${PRESERVED_PROPERTY}=${renderPreserved(mark)}`, live),
    zfs('rename', live, kept),
    // ZFS renames what is in use and says nothing: started a moment ago, the instance would run on what is kept.
    mustBeUnmounted(kept),
    ...freed(kept, mark.local).flatMap(({ commands }) => commands as readonly Command[]),
  ]);
}

/** What is kept reserves no space: the live one does, with the same amount. */
function freed(kept: string, local: Readonly<Record<string, string>>): Change[] {
  const reserved = ['reservation', 'refreservation'].filter((name) => (Number(local[name]) || 0) > 0);
  if (reserved.length === 0) return [];
  const commands = [zfs('set', ...reserved.map((name) => `${name}=none`), kept)];
  return [change(`dataset ${kept}`, 'update', 'what is kept reserves no space', commands)];
}

function rename(from: string, to: string, because: string): Change {
  return change(`dataset ${from}`, 'update', because, [zfs('rename', from, to)]);
}

/** A clone does not carry its origin's local properties. */
function clone(live: string, origin: string, local: Readonly<Record<string, string>>): Change {
  const options = Object.entries(local).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const kept = origin.slice(0, origin.indexOf('@'));
  return change(`dataset ${live}`, 'create', `the state of ${origin} becomes the live one`, [
    mustBeUnmounted(kept),
    zfs('clone', ...options, origin, live),
  ]);
}

function promote(live: string): Change {
  return change(`dataset ${live}`, 'update', 'it must not stand on the state that is kept', [zfs('promote', live)]);
}

function change(resource: string, action: Change['action'], because: string, commands: readonly Command[]): Change {
  return { resource, action, impact: 'restart', because, commands };
}

/**
 * Fails if a dataset is in use: somebody, or something, has started its instance again. Incus mounts it first of all when it starts an
 * instance, and still tells STOPPED for seconds (lab, Incus 6.0.4).
 */
export function mustBeUnmounted(dataset: string): Command {
  return script(
    'read',
    `mounted=$(zfs get -H -o value mounted "$1")
[ "$mounted" = no ] || { echo "$1 is in use: something has started its instance again" >&2; exit 1; }`,
    [dataset],
    { timeoutMs: 30_000 },
  );
}

function zfs(verb: string, ...words: readonly string[]): Command {
  return write(['zfs', verb, ...words], { timeoutMs: TIMEOUT_MS });
}

function lineage(seen: Lineages, dataset: string): Lineage | undefined {
  const found = seen.get(dataset);
  if (found === undefined) throw new RangeError(`${dataset} was not looked at`);
  return found === 'absent' ? undefined : found;
}

function lost({ live, kept }: Swap): SafetyError {
  return new SafetyError(`neither ${live} nor ${kept} exists`, { next: `zfs list -r -o name,origin,mooring:kept, on the host` });
}

function unknownState({ live, kept }: Swap): SafetyError {
  return new SafetyError(`${live} and ${kept} are both there, and neither is what this roll-back makes`, {
    next: `zfs get origin,mooring:kept ${live} ${kept}, on the host`,
  });
}

/**
 * Takes a dataset back to one of its snapshots and destroys what is newer, by name. Without `-r`: what is not named makes
 * the last command fail, and nothing is lost by it. Only on a stopped instance: ZFS rolls back under a running database
 * and answers 0 (openzfs#11482).
 */
export function rollBackInPlace(dataset: string, snapshot: string, destroy: readonly string[]): Change[] {
  const stranger = destroy.find((name) => !/^[\w.:-]+$/.test(name));
  if (stranger !== undefined) throw new SafetyError(`'${stranger}' is not the name of a snapshot that could be destroyed by name`);
  return [
    change(`dataset ${dataset}`, 'destroy', `--in-place goes back to ${snapshot}, and --discard-newer names what is lost`, [
      mustBeUnmounted(dataset),
      ...(destroy.length > 0 ? [zfs('destroy', `${dataset}@${destroy.join(',')}`)] : []),
      mustBeUnmounted(dataset),
      zfs('rollback', `${dataset}@${requireSetName(snapshot)}`),
    ]),
  ].map((one) => ({ ...one, impact: 'data-loss' }));
}
