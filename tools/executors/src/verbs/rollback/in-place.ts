import { INSTANCES } from '../../shared/backends.ts';
import { type Attempt, memberOf } from '../../snapshots/rollback.ts';
import { type Candidate, type RollbackView, seenOf } from './look.ts';

/** Whether the run of an attempt was begun by another process, which was killed. */
export function isResumed({ audit }: RollbackView, { runId }: Attempt): boolean {
  return audit.some(({ run }) => run === runId);
}

/**
 * Whether a roll-back in place that was begun has come to this container: its key, which is cleared next, is gone; or it is stopped and
 * nothing is on its datasets that is not in the snapshot. What is written there later is of the state gone back to, and nobody named it.
 */
export function isExchangedInPlace(
  view: Pick<RollbackView, 'storage'>,
  { instance, volumes }: Candidate,
  { goal, runId }: Pick<Attempt, 'goal' | 'runId'>,
): boolean {
  if (goal.kind !== 'in-place') return false;
  if (INSTANCES.marksOf(instance).rollback !== runId) return true;
  return instance.status === 'Stopped' && volumes.every((volume) => seenOf(view, volume).isAt(volume, memberOf(goal.set, volume).snapshot));
}
