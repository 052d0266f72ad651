import { MooringError, ProblemsError, SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { mark } from '../../platforms/incus/marks.ts';
import { ROLLBACK_KEY } from '../../platforms/incus/restore.ts';
import type { Lineage } from '../../platforms/zfs/lineage.ts';
import type { Swap } from '../../platforms/zfs/swap.ts';
import { type KeptMark, type KeptState, keptDataset, keptOf, stampOf } from '../../snapshots/kept.ts';
import { shortName } from '../../snapshots/name.ts';
import { memberName, type SetMember, type SnapshotSet, type Volume } from '../../snapshots/set.ts';
import { type Candidate, lineageOf, type RollbackView } from './look.ts';

/** Where a roll-back goes. */
export type Goal =
  /** To a restore point, the present state kept. */
  | { readonly kind: 'set'; readonly set: SnapshotSet; readonly release: string | undefined }
  /** To a restore point, the present state destroyed: `discard` names what of it may be. */
  | { readonly kind: 'in-place'; readonly set: SnapshotSet; readonly release: string | undefined; readonly discard: readonly string[] }
  /** Back to what a roll-back left. */
  | { readonly kind: 'undo'; readonly run: string; readonly set: SnapshotSet | undefined };

/** The roll-back that is planned. */
export type Attempt = {
  readonly goal: Goal;
  /** Its id: that of the interrupted run where this one finishes it. */
  readonly runId: string;
  /** RFC 3339. */
  readonly now: string;
  /** The release before whose deploy it goes. */
  readonly before: string;
  /** It takes back what this very roll-back did, because it failed. */
  readonly failed?: boolean;
  /** What was kept before an undo that failed: it goes back to its place, and a later undo finds it there. */
  readonly keptBefore?: readonly KeptState[];
};

/** What ZFS needs for the exchange itself, and a service to start on what it finds, in bytes. */
const MIN_FREE = 64 * 1024 * 1024;

/** What is done to one volume. */
export type VolumePlan =
  | { readonly kind: 'clone'; readonly volume: Volume; readonly swap: Swap; readonly snapshot: string }
  | { readonly kind: 'kept'; readonly volume: Volume; readonly swap: Swap; readonly source: string }
  | {
      readonly kind: 'in-place';
      readonly volume: Volume;
      readonly dataset: string;
      readonly snapshot: string;
      readonly destroy: readonly string[];
    }
  | { readonly kind: 'restore'; readonly volume: Volume; readonly snapshot: string };

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
  const live = view.lineages.get(volume.dataset);
  if (live !== undefined && live !== 'absent' && !live.keyLoaded)
    throw new SafetyError(`the encryption key of ${volume.dataset} is not loaded`, {
      next: `zfs load-key ${live.encryptionRoot}, on the host`,
    });
  if (goal.kind === 'in-place')
    return isResumed(view, attempt) && isExchangedInPlace(view, candidate, attempt)
      ? undefined
      : planInPlace(view, candidate, volume, goal);
  if (goal.kind === 'set') {
    const swap = swapOf(view, candidate, volume, attempt, goal.set.name);
    return { kind: 'clone', volume, swap, snapshot: snapshotOf(view, volume, goal.set, swap) };
  }
  const source = keptFor(view, volume, attempt, goal.run);
  return source === undefined ? undefined : { kind: 'kept', volume, swap: swapOf(view, candidate, volume, attempt, source), source };
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

/** The exchange of one dataset. What an interrupted run has kept already keeps its name and its mark. */
function swapOf(
  view: RollbackView,
  { target, instance }: Candidate,
  volume: Volume & { kind: 'zfs' },
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
  const kept = keptDataset(place, encryptionRoot, `${stampOf(runId)}${failed ? '-2' : ''}`);
  if (view.lineages.has(kept))
    throw new SafetyError(`${kept} is there already and is of another roll-back`, {
      next: 'wait a second, then type the same command again',
    });
  const release = instance.config[mark.release];
  return {
    live: volume.dataset,
    kept,
    mark: {
      environment: target.environment.name,
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
function likeLive(view: RollbackView, volume: Volume & { kind: 'zfs' }, kept: readonly KeptState[]) {
  const live = view.lineages.get(volume.dataset);
  if (live !== undefined && live !== 'absent') {
    requireSpace(volume.dataset, live);
    return { encryptionRoot: live.encryptionRoot, local: live.local };
  }
  const [last] = keptOf(kept);
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
    next: `${nxRun('prune')}, or ${nxRun('prune', {}, '--kept')} to choose among what roll-backs left`,
  });
}

/** The snapshot gone back to; of an interrupted roll-back it may have gone with the kept state, or with the clone. */
function snapshotOf(view: RollbackView, volume: Volume & { kind: 'zfs' }, set: SnapshotSet, swap: Swap): string {
  const known = view.kept.find(({ dataset }) => dataset === swap.kept);
  if (known !== undefined) return known.mark.to;
  return memberOf(set, volume).snapshot;
}

/** A container's part of a set. @throws SafetyError when it has none */
function memberOf(set: SnapshotSet, volume: Volume): SetMember {
  const member = set.members.find((one) => one.instance === volume.instance && one.volume === volume.volume);
  if (member !== undefined) return member;
  throw new SafetyError(`${shortName(set.name)} has no snapshot of ${memberName(volume)}`, {
    next: `${nxRun('snapshots')} tells which have; a later one may be with a kept state: --undo brings it back`,
  });
}

/** The kept state that an undo brings back; nothing where that roll-back kept none of this volume. */
function keptFor(view: RollbackView, volume: Volume & { kind: 'zfs' }, { runId, failed }: Attempt, run: string): string | undefined {
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
  return keptAgain(live.kept, live.encryptionRoot);
}

/** The name that a state had while it was kept. */
function keptAgain(kept: KeptMark, root: string | undefined): string {
  return keptDataset({ dataset: kept.dataset, instance: kept.instance, volume: kept.volume }, root, stampOf(kept.run));
}

function planInPlace(
  view: RollbackView,
  { instance }: Candidate,
  volume: Volume & { kind: 'zfs' },
  goal: Goal & { kind: 'in-place' },
): VolumePlan {
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
function isResumed({ audit }: RollbackView, { runId }: Attempt): boolean {
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
      const listed = volume.kind === 'zfs' ? view.listing.get(volume.dataset) : undefined;
      if (listed === undefined || listed === 'absent') return false;
      return listed.written === 0 && listed.snapshots.at(-1)?.name === memberOf(goal.set, volume).snapshot;
    })
  );
}

/** How `--discard-newer` names what was written since the newest snapshot. */
export const PRESENT = 'present';

/** Incus calls its snapshots `snapshot-<name>` on ZFS; those newer than the one gone back to leave with the kept state. */
function forgotten(view: RollbackView, { instance }: Candidate, volumes: readonly VolumePlan[]): string[] {
  const root = volumes.find(({ volume, kind }) => volume.volume === undefined && (kind === 'clone' || kind === 'in-place'));
  if (root === undefined || root.volume.kind !== 'zfs' || (root.kind !== 'clone' && root.kind !== 'in-place')) return [];
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
