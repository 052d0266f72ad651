import { MooringError, ProblemsError, SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { ROLLBACK_KEY } from '../../platforms/incus/restore.ts';
import { onZfs } from '../../platforms/zfs/volume.ts';
import type { Volume } from '../../snapshots/set.ts';
import { keptFor, memberOf, snapshotOf, swapOf } from './exchange.ts';
import { isExchangedInPlace, isResumed, planInPlace } from './in-place.ts';
import type { Candidate, RollbackView } from './look.ts';
import type { Attempt, ContainerRollback, Goal, VolumePlan } from './volume-plan.ts';

/**
 * What a roll-back would do to the containers of one host. Everything that stands against it is told at once, and nothing
 * has been touched.
 *
 * @param concerned the containers that are asked for
 * @throws ProblemsError, SafetyError
 */
export function planRollback(view: RollbackView, concerned: readonly Candidate[], attempt: Attempt): ContainerRollback[] {
  const problems: MooringError[] = [];
  const plans = concerned.flatMap((candidate): ContainerRollback[] => {
    try {
      refuseUnfit(candidate);
      // An instance's root comes last: that Incus has restored it tells that all of it is restored.
      const ordered = candidate.volumes.toSorted((a, b) => Number(a.volume === undefined) - Number(b.volume === undefined));
      const volumes = ordered.flatMap((volume) => planVolume(view, candidate, volume, attempt) ?? []);
      return [{ candidate, volumes, forget: forgotten(view, candidate, volumes), release: releaseOf(view, attempt.goal, volumes) }];
    } catch (error) {
      if (!(error instanceof MooringError)) throw error;
      problems.push(error.with({ host: view.name, instance: candidate.target.instance, step: 'roll back', page: 'rollBack' }));
      return [];
    }
  });
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) throw new ProblemsError('nothing was touched', problems);
  return plans;
}

/** A container that must not be rolled back, whatever the goal. */
function refuseUnfit({ target, instance, volumes }: Candidate): void {
  const { status, location } = instance;
  if (status !== 'Running' && status !== 'Stopped')
    throw new SafetyError(`${target.instance} is ${status.toLowerCase()}; it must run or be stopped`, {
      next: `incus list ${target.instance} --project ${target.incus.project}, on the host`,
    });
  if (location !== 'none')
    throw new SafetyError(`${target.instance} is on the cluster member ${location}: its datasets are there, and cannot be seen from here`, {
      next: 'give the container the "host" that its member is',
    });
  if (volumes.length === 0)
    throw new SafetyError(`${target.instance} is on storage without restore points`, {
      next: `${nxRun('snapshots')} tells why`,
    });
  for (const volume of volumes) {
    const others = volume.sharedWith ?? [];
    if (others.length > 0)
      throw new SafetyError(
        `the volume ${volume.volume} of ${target.instance} is also used by ${others.join(', ')}, whose state would change`,
        {
          next: 'detach it there, or roll it back by hand',
        },
      );
  }
}

/** What is done to one volume; nothing where an interrupted run has done it, or where there is nothing to bring back. */
function planVolume(view: RollbackView, candidate: Candidate, volume: Volume, attempt: Attempt): VolumePlan | undefined {
  const { goal } = attempt;
  if (volume.kind === 'incus') return planRestore(view, candidate, volume, attempt);
  const own = onZfs(volume);
  const live = view.lineages.get(own.dataset);
  if (live !== undefined && live !== 'absent' && !live.keyLoaded)
    throw new SafetyError(`the encryption key of ${volume.dataset} is not loaded`, {
      next: `zfs load-key ${live.encryptionRoot}, on the host`,
    });
  if (goal.kind === 'in-place')
    return isResumed(view, attempt) && isExchangedInPlace(view, candidate, attempt) ? undefined : planInPlace(view, candidate, own, goal);
  if (goal.kind === 'set') {
    const swap = swapOf(view, candidate, own, attempt, goal.set.name);
    return { kind: 'clone', volume, swap, snapshot: snapshotOf(view, own, goal.set, swap) };
  }
  const source = keptFor(view, own, attempt, goal.run);
  return source === undefined ? undefined : { kind: 'kept', volume, swap: swapOf(view, candidate, own, attempt, source), source };
}

function planRestore(
  view: RollbackView,
  { instance }: Candidate,
  volume: Volume,
  { goal, runId, failed }: Attempt,
): VolumePlan | undefined {
  if (goal.kind === 'in-place')
    throw new SafetyError('--in-place is for ZFS; on other storage the present is always kept', { next: 'leave --in-place out' });
  const begun = view.points.sets.some((set) => set.id === runId && set.members.some((one) => one.instance === instance.name));
  const restored = begun && instance.config[ROLLBACK_KEY] !== runId;
  // What failed is taken back only where it was done; what was done is not done again.
  if (failed === true ? !restored : restored) return undefined;
  if (goal.set === undefined) return undefined;
  // The roll-back that is taken back was interrupted before it came here: the present was never left.
  if (failed !== true && goal.kind === 'undo' && !begun && instance.config[ROLLBACK_KEY] === goal.run) return undefined;
  return { kind: 'restore', volume, snapshot: memberOf(goal.set, volume).snapshot };
}

/** Incus calls its snapshots `snapshot-<name>` on ZFS; those newer than the one gone back to leave with the preserved state. */
function forgotten(view: RollbackView, { instance }: Candidate, volumes: readonly VolumePlan[]): string[] {
  const root = volumes.find(({ volume, kind }) => volume.volume === undefined && (kind === 'clone' || kind === 'in-place'));
  if (root === undefined || root.volume.dataset === undefined || (root.kind !== 'clone' && root.kind !== 'in-place')) return [];
  const records = (instance.snapshots ?? []).map(({ name }) => name);
  const listed = view.listing.get(root.volume.dataset);
  if (listed === undefined || listed === 'absent') return [];
  const at = listed.snapshots.find(({ name }) => name === root.snapshot);
  // Where the exchange has happened already, what is not on the live dataset is what must be forgotten.
  const there = new Set(listed.snapshots.filter(({ createtxg }) => at === undefined || createtxg <= at.createtxg).map(({ name }) => name));
  return records.filter((name) => !there.has(`snapshot-${name}`));
}

function releaseOf(view: RollbackView, goal: Goal, volumes: readonly VolumePlan[]): string | undefined {
  if (goal.kind !== 'undo') return goal.release;
  const root = volumes.find(({ volume }) => volume.volume === undefined);
  return root?.kind === 'kept' ? view.kept.find(({ dataset }) => dataset === root.source)?.mark.release : undefined;
}
