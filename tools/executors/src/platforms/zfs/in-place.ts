import { SafetyError } from '../../engine/errors.ts';
import type { Instance } from '../../engine/instance.ts';
import { shortName } from '../../snapshots/name.ts';
import { type Goal, memberOf, PRESENT } from '../../snapshots/rollback.ts';
import type { ZfsView } from './exchange.ts';
import type { ZfsVolume } from './volume.ts';

/** A roll-back in place: to which snapshot of a dataset, and which newer ones it destroys. */
export type InPlace = { readonly snapshot: string; readonly destroy: readonly string[] };

/** What a roll-back in place does to one dataset. @throws SafetyError where it would destroy what nobody named, or what is held or cloned */
export function planInPlace(
  view: Pick<ZfsView, 'listing'>,
  instance: Pick<Instance, 'name'>,
  volume: ZfsVolume,
  goal: Goal & { kind: 'in-place' },
): InPlace {
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
  return { snapshot, destroy: newer.map(({ name }) => name) };
}
