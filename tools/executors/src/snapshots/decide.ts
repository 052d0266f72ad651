import { type DeployEntry, lastCompleted, standing } from './history.ts';
import { nextSetName, parseSetName, shortName, shortRelease } from './name.ts';
import { memberName, type RestorePoints, type SnapshotSet } from './set.ts';
import { showTime, sortableTime } from './time.ts';

export type DecideInput = {
  /** The release that is being deployed. */
  readonly release: string;
  /** This run; a set that this run cut has it as its id. */
  readonly runId: string;
  readonly points: Pick<RestorePoints, 'sets' | 'taken'>;
  /** Deploys, oldest first. */
  readonly history: readonly DeployEntry[];
  /** Volumes (see `memberName`) of the containers that exist now, ours or about to be adopted. */
  readonly existing: readonly string[];
  /** Whether the plan has a change; left out while it is not known. */
  readonly anyChangePlanned?: boolean;
};

/** What to do about a restore point, and why, in a sentence. */
export type Decision =
  | { readonly kind: 'reuse'; readonly set: SnapshotSet; readonly because: string }
  | { readonly kind: 'cut'; readonly name: string; readonly because: string }
  /** Cut it just before the first planned change of this run, and not at all if there is none. */
  | { readonly kind: 'lazy'; readonly name: string; readonly because: string }
  | { readonly kind: 'nothing'; readonly because: string };

/**
 * Whether this deploy has a restore point newer than the last completed deploy, or needs one. In doubt one is cut: one too
 * many costs nothing, a missing one costs the data. Pure.
 *
 * "Skip it if the name exists" would leave no fresh one when an old SHA is deployed again. So a set is reused only if this
 * run cut it, or an unfinished deploy of this release did and it covers all that exists now.
 */
export function decide(input: DecideInput): Decision {
  const { release, runId, points, history, existing } = input;
  if (existing.length === 0) return { kind: 'nothing', because: 'no container exists yet, so there is nothing to lose' };

  const own = points.sets.find((set) => set.id === runId && set.missing.length === 0);
  if (own !== undefined) return { kind: 'reuse', set: own, because: `this run has cut ${shortName(own.name)} already` };

  const name = nextSetName(release, points.taken);
  const [newest] = points.sets;
  const obstacle = newest === undefined ? 'there is no restore point yet' : whyNotReused(newest, input);
  if (newest !== undefined && obstacle === undefined) {
    const because = `an unfinished deploy of ${shortRelease(release)} cut ${shortName(newest.name)} at ${showTime(newest.cutAt)}, and no deploy has completed since`;
    return { kind: 'reuse', set: newest, because };
  }

  const last = lastCompleted(history);
  if (last?.release !== release) return { kind: 'cut', name, because: `${obstacle ?? 'there is none'}${afterLast(last)}` };
  const because = `${shortRelease(release)} is the last completed release (${showTime(sortableTime(last.at))})`;
  return input.anyChangePlanned === true
    ? { kind: 'cut', name, because: `${because}, and there is something to change` }
    : { kind: 'lazy', name, because: `${because}; one will be cut before the first change, if there is a change` };
}

/** Why the newest set cannot serve this deploy; nothing when it can. */
function whyNotReused(newest: SnapshotSet, { release, history, existing }: DecideInput): string | undefined {
  const name = shortName(newest.name);
  if (newest.release !== release || parseSetName(newest.name)?.kind !== 'deploy')
    return `the newest restore point, ${name}, was cut before another release`;
  if (newest.missing.length > 0) return `${name} was not cut whole: ${newest.missing.join(', ')} is missing from it`;
  const since = standing(newest, history);
  if (since === 'before') return `a deploy has completed since ${name} was cut`;
  if (since === 'unknown') return `the audit log does not prove that no deploy has completed since ${name} was cut`;
  const uncovered = existing.filter((name) => !newest.members.some((member) => memberName(member) === name));
  return uncovered.length === 0 ? undefined : `${name} has no snapshot of ${uncovered.join(', ')}`;
}

function afterLast(last: DeployEntry | undefined): string {
  return last === undefined ? '' : `; the last completed release is ${shortRelease(last.release)}`;
}
