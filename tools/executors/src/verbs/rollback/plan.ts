import { type MooringError, ProblemsError, SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { attemptNow } from '../../shared/attempt.ts';
import type { Attempt, Goal, VolumePlan } from '../../snapshots/rollback.ts';
import type { Volume } from '../../snapshots/set.ts';
import { isExchangedInPlace, isResumed } from './in-place.ts';
import { type Candidate, type RollbackView, seenOf } from './look.ts';

/** What is done to one container. */
export type ContainerRollback = {
  readonly candidate: Candidate;
  readonly volumes: readonly VolumePlan[];
  /** Incus's records of snapshots that are not on the live dataset afterwards. */
  readonly forget: readonly string[];
  /** The release of the state gone back to; nothing when it is not known. */
  readonly release: string | undefined;
};

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
    const planned = attemptNow(() => planOne(view, candidate, attempt));
    if ('value' in planned) return [planned.value];
    problems.push(planned.error.with({ host: view.name, instance: candidate.target.instance, step: 'roll back', page: 'rollBack' }));
    return [];
  });
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) throw new ProblemsError('nothing was touched', problems);
  return plans;
}

function planOne(view: RollbackView, candidate: Candidate, attempt: Attempt): ContainerRollback {
  refuseUnfit(candidate);
  // An instance's root comes last: that Incus has restored it tells that all of it is restored.
  const ordered = candidate.volumes.toSorted((a, b) => Number(a.volume === undefined) - Number(b.volume === undefined));
  const volumes = ordered.flatMap((volume) => planVolume(view, candidate, volume, attempt) ?? []);
  const forget = volumes.flatMap((one) => one.forget?.names ?? []);
  return { candidate, volumes, forget, release: releaseOf(attempt.goal, volumes) };
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
  const { target, instance } = candidate;
  const isDone = isResumed(view, attempt) && isExchangedInPlace(view, candidate, attempt);
  return seenOf(view, volume).plan({ instance, environment: target.environment.name, sets: view.points.sets, isDone }, volume, attempt);
}

function releaseOf(goal: Goal, volumes: readonly VolumePlan[]): string | undefined {
  return goal.kind === 'undo' ? volumes.find(({ volume }) => volume.volume === undefined)?.release : goal.release;
}
