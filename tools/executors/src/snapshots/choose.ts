import { InputError } from '../engine/errors.ts';
import { nxRun } from '../engine/nx-command.ts';
import { type DeployEntry, isAbout } from './history.ts';
import { parseSetName, shortName, shortRelease } from './name.ts';
import { type PreservedState, preservedOf } from './preserved.ts';
import { memberName, type SnapshotSet } from './set.ts';
import { showTime } from './time.ts';

/** A restore point to go back to, and what else was there to choose. */
export type Choice = { readonly set: SnapshotSet; readonly others: readonly SnapshotSet[] };

/**
 * The restore point cut before a release was deployed. Where there are several, the newest that has a state of another
 * release: one that was cut when the same release was deployed once more has that release's data in it already.
 *
 * @param sets newest first
 * @param history oldest first
 * @param release 40 hex digits, or the first seven or more
 * @throws InputError naming what there is
 */
export function chooseBefore(sets: readonly SnapshotSet[], history: readonly DeployEntry[], release: string): Choice {
  if (!/^[0-9a-f]{7,40}$/.test(release)) {
    throw new InputError(`--before: found ${JSON.stringify(release)}; expected a release, 7 to 40 lower-case hex digits`, {
      next: `the releases are in the table of ${nxRun('snapshots')}`,
    });
  }
  const before = sets.filter((set) => parseSetName(set.name)?.kind === 'deploy');
  const found = before.filter((set) => set.release.startsWith(release));
  const releases = [...new Set(found.map((set) => set.release))];
  if (releases.length > 1) throw new InputError(`--before: ${release} may be ${releases.join(' or ')}`, { next: 'give more digits' });
  const set = found.find((one) => previousRelease(one, history) !== one.release) ?? found.at(-1);
  if (set === undefined) throw new InputError(`there is no restore point from before ${release}${offer(before)}`, { next: LOOK });
  return { set, others: found.filter((one) => one !== set) };
}

/** The restore point of a name, in full or as tables show it. @throws InputError naming what there is */
export function chooseTo(sets: readonly SnapshotSet[], name: string): Choice {
  const found = sets.filter((set) => set.name === name || shortName(set.name) === name);
  const [set] = found;
  if (set === undefined) throw new InputError(`--to: there is no restore point ${name}${offer(sets)}`, { next: LOOK });
  if (found.some((one) => one.name !== set.name))
    throw new InputError(`--to: ${name} may be ${found.map((one) => one.name).join(' or ')}`, { next: 'give the name in full' });
  return { set, others: [] };
}

const LOOK = `${nxRun('snapshots')} lists them`;

function offer(sets: readonly SnapshotSet[]): string {
  return sets.length === 0 ? '; there is none at all' : `; there are ${sets.map(({ name }) => shortName(name)).join(', ')}`;
}

/** The release whose deploy had completed when a set was cut; nothing when the log does not tell. */
export function previousRelease(set: SnapshotSet, history: readonly DeployEntry[]): string | undefined {
  const first = history.findIndex((entry) => isAbout(entry, set));
  if (first < 0) return undefined;
  const last = history.slice(0, first).findLast(({ result }) => result === 'ok' || result === 'rolled-back');
  return last?.result === 'ok' ? last.release : undefined;
}

/** A set as a sentence's part: `state of 2026-11-23 05:23:43 UTC, before b… was deployed, after a…`. */
export function describeState(set: SnapshotSet, history: readonly DeployEntry[]): string {
  const previous = previousRelease(set, history);
  const what =
    parseSetName(set.name)?.kind === 'rollback'
      ? `as it was left by going back to before ${shortRelease(set.release)}`
      : `before ${shortRelease(set.release)} was deployed`;
  return `state of ${showTime(set.cutAt)}, ${what}${previous === undefined ? '' : `, after ${shortRelease(previous)}`}`;
}

/** What the last roll-back of these containers left: preserved states on ZFS, restore points on other storage. */
export type Left = { readonly run: string; readonly kept: readonly PreservedState[]; readonly set: SnapshotSet | undefined };

/** Id of the set that has a state which a roll-back tried, and left again because it failed. */
export function failedId(run: string): string {
  return `${run}${FAILED}`;
}

const FAILED = '-failed';

/**
 * What a roll-back cut of the states that it left, as one set: a run that finished an interrupted one has cut again what
 * was not restored yet, and of each volume the newest counts.
 *
 * @param sets newest first
 */
export function leftBy(sets: readonly SnapshotSet[], run: string): SnapshotSet | undefined {
  const [newest, ...older] = sets.filter(({ id, name }) => id === run && parseSetName(name)?.kind === 'rollback');
  if (newest === undefined) return undefined;
  const members = [newest, ...older].flatMap((set) => set.members);
  const first = members.filter((one, i) => members.findIndex((other) => memberName(other) === memberName(one)) === i);
  return { ...newest, members: first };
}

/**
 * What `--undo` brings back.
 *
 * @param instances the containers that are asked for
 * @param sets newest first
 * @param failed ids of the roll-backs that failed and were taken back: what they cut is of before them
 * @throws InputError when no roll-back left anything
 */
export function chooseLeft(
  kept: readonly PreservedState[],
  sets: readonly SnapshotSet[],
  instances: readonly string[],
  failed: ReadonlySet<string> = new Set(),
): Left {
  const [state] = preservedOf(kept).filter(({ mark }) => instances.includes(mark.instance) && mark.failed !== true);
  const cut = sets.find(
    (set) =>
      parseSetName(set.name)?.kind === 'rollback' &&
      !(failed.has(set.id) || set.id.endsWith(FAILED)) &&
      set.members.some(({ instance, keepsPresent }) => keepsPresent === true && instances.includes(instance)),
  );
  if (state === undefined && cut === undefined) {
    throw new InputError(`no roll-back of ${instances.join(', ')} left a state that could be brought back`, {
      next: `${nxRun('status')} lists the preserved states`,
    });
  }
  const run = state !== undefined && (cut === undefined || state.mark.time >= cut.cutAt) ? state.mark.run : (cut?.id as string);
  return {
    run,
    kept: kept.filter(({ mark }) => mark.run === run && mark.failed !== true && instances.includes(mark.instance)),
    set: leftBy(sets, run),
  };
}
