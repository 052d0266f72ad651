import { SafetyError } from '../../engine/errors.ts';
import { ROLLBACK_KEY } from '../../platforms/incus/restore.ts';
import type { ZfsVolume } from '../../platforms/zfs/volume.ts';
import { shortName } from '../../snapshots/name.ts';
import { memberOf } from './exchange.ts';
import type { Candidate, RollbackView } from './look.ts';
import type { Attempt, Goal, VolumePlan } from './volume-plan.ts';

export function planInPlace(view: RollbackView, { instance }: Candidate, volume: ZfsVolume, goal: Goal & { kind: 'in-place' }): VolumePlan {
  const { snapshot } = memberOf(goal.set, volume);
  const listed = view.listing.get(volume.dataset);
  if (listed === undefined || listed === 'absent') throw new SafetyError(`the dataset ${volume.dataset} does not exist`);
  const at = listed.snapshots.find(({ name }) => name === snapshot)?.createtxg ?? 0;
  const newer = listed.snapshots.filter(({ createtxg }) => createtxg > at);
  const held = newer.filter(({ holds, clones }) => holds > 0 || clones.length > 0);
  if (held.length > 0)
    throw new SafetyError(
      `${held.map(({ name }) => name).join(', ')} of ${volume.dataset} is held or cloned, so nothing older can be gone back to in place`,
      {
        next: 'leave --in-place out: then nothing is destroyed',
      },
    );
  const destroyed = [...newer.map(({ name }) => name), PRESENT];
  const unnamed = destroyed.filter((name) => !goal.discard.includes(name) && !goal.discard.includes(shortName(name)));
  if (unnamed.length > 0)
    throw new SafetyError(
      `--in-place would destroy ${unnamed.map((name) => (name === PRESENT ? 'the present state' : name)).join(', ')} of ${instance.name}`,
      {
        next: `leave --in-place out, and nothing is destroyed; or name what may be: --discard-newer=${destroyed.join(',')}`,
      },
    );
  return { kind: 'in-place', volume, dataset: volume.dataset, snapshot, destroy: newer.map(({ name }) => name) };
}

/** Whether the run of an attempt was begun by another process, which was killed. */
export function isResumed({ audit }: RollbackView, { runId }: Attempt): boolean {
  return audit.some(({ run }) => run === runId);
}

/**
 * Whether a roll-back in place that was begun has come to this container: its key, which is cleared next, is gone; or it is stopped and
 * nothing is on its datasets that is not in the snapshot. What is written there later is of the state gone back to, and nobody named it.
 */
export function isExchangedInPlace(
  view: Pick<RollbackView, 'listing'>,
  { instance, volumes }: Candidate,
  { goal, runId }: Pick<Attempt, 'goal' | 'runId'>,
): boolean {
  if (goal.kind !== 'in-place') return false;
  if (instance.config[ROLLBACK_KEY] !== runId) return true;
  return (
    instance.status === 'Stopped' &&
    volumes.every((volume) => {
      const listed = view.listing.get(volume.dataset ?? '');
      if (listed === undefined || listed === 'absent') return false;
      return listed.written === 0 && listed.snapshots.at(-1)?.name === memberOf(goal.set, volume).snapshot;
    })
  );
}

/** How `--discard-newer` names what was written since the newest snapshot. */
export const PRESENT = 'present';
