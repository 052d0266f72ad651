import { SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { type PreservedMark, type PreservedState, preservedDataset, preservedOf, stampOf } from '../../snapshots/preserved.ts';
import { type Attempt, type Container, memberOf } from '../../snapshots/rollback.ts';
import type { SnapshotSet } from '../../snapshots/set.ts';
import { mark } from '../incus/marks.ts';
import type { ZfsListing } from './facts.ts';
import type { Lineage, Lineages } from './lineage.ts';
import type { Swap } from './swap.ts';
import type { ZfsVolume } from './volume.ts';

/** What ZFS tells of the volumes that may go back. */
export type ZfsView = {
  /** All that is on the datasets; `absent` where an interrupted roll-back left the live name empty. */
  readonly listing: ZfsListing;
  /** Of the live datasets and of the preserved states. */
  readonly lineages: Lineages;
  /** Preserved states of this environment, proved by their marks and by the container's UUID. */
  readonly kept: readonly PreservedState[];
};

/** What ZFS needs for the exchange itself, and a service to start on what it finds, in bytes. */
const MIN_FREE = 64 * 1024 * 1024;

/** The exchange of one dataset. What an interrupted run has kept already keeps its name and its mark. */
export function swapOf(
  view: ZfsView,
  { environment, instance }: Pick<Container, 'environment' | 'instance'>,
  volume: ZfsVolume,
  { runId, now, before, failed = false, keptBefore = [] }: Attempt,
  to: string,
): Swap {
  const broughtBack = keptBefore.find(({ dataset }) =>
    view.kept.some(({ mark: one }) => one.run === runId && one.to === dataset && one.dataset === volume.dataset),
  );
  if (broughtBack !== undefined) return { live: volume.dataset, kept: broughtBack.dataset, mark: broughtBack.mark };
  const own = view.kept.filter(({ mark: one }) => one.dataset === volume.dataset);
  const known = own.find(({ mark: one }) => one.run === runId && (one.failed ?? false) === failed);
  if (known !== undefined) return { live: volume.dataset, kept: known.dataset, mark: known.mark };
  const { encryptionRoot, local } = likeLive(view, volume, own);
  if (encryptionRoot === volume.dataset)
    throw new SafetyError(`${volume.dataset} is an encryption root itself: a clone of it would depend on what is kept (openzfs#8905)`, {
      next: '--in-place goes back without a clone',
    });
  const place = { dataset: volume.dataset, instance: volume.instance, volume: volume.volume };
  const kept = preservedDataset(place, encryptionRoot, `${stampOf(runId)}${failed ? '-2' : ''}`);
  if (view.lineages.has(kept))
    throw new SafetyError(`${kept} is there already and is of another roll-back`, {
      next: 'wait a second, then type the same command again',
    });
  const release = instance.config[mark.release];
  return {
    live: volume.dataset,
    kept,
    mark: {
      environment,
      instance: volume.instance,
      ...(volume.volume === undefined ? {} : { volume: volume.volume }),
      uuid: volume.uuid,
      project: volume.project,
      dataset: volume.dataset,
      run: runId,
      time: now,
      ...(release === undefined ? {} : { release }),
      before,
      to,
      ...(failed ? { failed } : {}),
      local,
    },
  };
}

/** What the live dataset has, or had before an interrupted roll-back renamed it. */
function likeLive(view: ZfsView, volume: ZfsVolume, kept: readonly PreservedState[]) {
  const live = view.lineages.get(volume.dataset);
  if (live !== undefined && live !== 'absent') {
    requireSpace(volume.dataset, live);
    return { encryptionRoot: live.encryptionRoot, local: live.local };
  }
  const [last] = preservedOf(kept);
  if (last === undefined)
    throw new SafetyError(`neither ${volume.dataset} nor a state that was kept of it exists`, {
      next: 'zfs list -r -o name,mooring:kept, on the host',
    });
  return { encryptionRoot: lineageOf(view, last.dataset).encryptionRoot, local: last.mark.local };
}

function requireSpace(dataset: string, { local, available }: Lineage): void {
  const needed = ['reservation', 'refreservation'].reduce((all, name) => all + (Number(local[name]) || 0), MIN_FREE);
  if (available >= needed) return;
  throw new SafetyError(`the pool of ${dataset} has ${available} bytes left; going back needs ${needed} (what is kept keeps its space)`, {
    next: `${nxRun('prune')}, or ${nxRun('prune', {}, '--preserved')} to choose among what roll-backs left`,
  });
}

/** The snapshot gone back to; of an interrupted roll-back it may have gone with the preserved state, or with the clone. */
export function snapshotOf(view: ZfsView, volume: ZfsVolume, set: SnapshotSet, swap: Swap): string {
  const known = view.kept.find(({ dataset }) => dataset === swap.kept);
  if (known !== undefined) return known.mark.to;
  return memberOf(set, volume).snapshot;
}

/** The preserved state that an undo brings back; nothing where that roll-back kept none of this volume. */
export function preservedFor(view: ZfsView, volume: ZfsVolume, { runId, failed }: Attempt, run: string): string | undefined {
  const own = view.kept.filter(({ mark: one }) => one.dataset === volume.dataset);
  const begun = own.find(({ mark: one }) => one.run === runId && (one.failed ?? false) === (failed ?? false));
  if (begun !== undefined && runId !== run) return begun.mark.to;
  const state = own.find(({ mark: one }) => one.run === run && one.failed !== true);
  if (state !== undefined) return state.dataset;
  const live = view.lineages.get(volume.dataset);
  if (live === undefined || live === 'absent' || live.kept?.run !== run) return undefined;
  // What failed before its rename has marked the live dataset, and done nothing else that could be taken back.
  if (failed === true && !own.some(({ mark: one }) => one.run === runId && one.failed === true)) return undefined;
  // An undo that was interrupted after its rename: what was kept has its live name, and still the mark.
  return preservedAgain(live.kept, live.encryptionRoot);
}

/** The name that a state had while it was kept. */
function preservedAgain(kept: PreservedMark, root: string | undefined): string {
  return preservedDataset({ dataset: kept.dataset, instance: kept.instance, volume: kept.volume }, root, stampOf(kept.run));
}

/** The lineage of a dataset that must be there. */
function lineageOf(view: ZfsView, dataset: string): Lineage {
  const found = view.lineages.get(dataset);
  if (found === undefined || found === 'absent') throw new SafetyError(`the dataset ${dataset} does not exist`);
  return found;
}
