import { SafetyError } from '../../engine/errors.ts';
import { type Attempt, type Container, memberOf, type SeenBack, type VolumePlan } from '../../snapshots/rollback.ts';
import { type Found, memberName, type Volume } from '../../snapshots/set.ts';
import { ROLLBACK_KEY, restoreSnapshot, restoreVolume } from './restore.ts';

/** How far a roll-back came with one volume, by the set that it cut and the key that a restore takes away again. */
export type Observed = 'not begun' | 'begun' | 'restored' | 'never reached';

/** What comes next for a volume: once when the roll-back goes on, once when it failed and is taken back. */
export const NEXT: Readonly<Record<Observed, Readonly<Record<'goes on' | 'is taken back', 'restore' | 'nothing'>>>> = {
  'not begun': { 'goes on': 'restore', 'is taken back': 'nothing' },
  begun: { 'goes on': 'restore', 'is taken back': 'nothing' },
  // What was done is not done again, and only that is taken back.
  restored: { 'goes on': 'nothing', 'is taken back': 'restore' },
  // The roll-back that an undo takes back was interrupted before it came here: the present was never left.
  'never reached': { 'goes on': 'nothing', 'is taken back': 'nothing' },
};

/** What is seen of an instance on storage that Incus itself restores. Pure. */
export function observed(
  { instance, sets }: Pick<Container, 'instance' | 'sets'>,
  { goal, runId }: Pick<Attempt, 'goal' | 'runId'>,
): Observed {
  const key = instance.config[ROLLBACK_KEY];
  const begun = sets.some((set) => set.id === runId && set.members.some((one) => one.instance === instance.name));
  if (begun) return key === runId ? 'begun' : 'restored';
  return goal.kind === 'undo' && key === goal.run ? 'never reached' : 'not begun';
}

/** What was seen of volumes that Incus restores; their snapshots are all that a roll-back needs. */
export function seenInIncus(found: readonly Found[]): SeenBack {
  return { found, kept: [], isCutFirst: () => false, isAt: () => false, plan };
}

function plan(container: Container, volume: Volume, attempt: Attempt): VolumePlan | undefined {
  const { goal, failed } = attempt;
  if (goal.kind === 'in-place')
    throw new SafetyError('--in-place is for ZFS; on other storage the present is always kept', { next: 'leave --in-place out' });
  const next = NEXT[observed(container, attempt)][failed === true ? 'is taken back' : 'goes on'];
  if (next === 'nothing' || goal.set === undefined) return undefined;
  const { snapshot } = memberOf(goal.set, volume);
  return {
    volume,
    present: `kept as a snapshot of ${memberName(volume)}`,
    restores: true,
    key: 'after',
    changes() {
      const { instance, volume: custom, pool, project } = volume;
      return [
        {
          resource: custom === undefined ? `instance ${instance}` : `volume ${custom}`,
          action: 'update',
          impact: 'restart',
          because: `the state of ${snapshot} becomes the live one`,
          commands: [
            custom === undefined ? restoreSnapshot({ instance, project }, snapshot) : restoreVolume(pool, project, custom, snapshot),
          ],
        },
      ];
    },
  };
}
