import type { Command } from '../engine/command.ts';
import { InputError, SafetyError } from '../engine/errors.ts';
import {
  copySnapshot,
  createEmpty,
  type DrillSpec,
  deviceNamesLeftOut,
  removeDrill,
  startDrill,
  stopDrill,
  waitForSystemd,
} from '../platforms/incus/drill.ts';
import type { Instance, Pool } from '../platforms/incus/facts.ts';
import { datasetOf } from '../platforms/zfs/dataset.ts';
import { cloneForDrill } from '../platforms/zfs/drill.ts';
import { shortName } from '../snapshots/name.ts';
import type { SetMember, SnapshotSet, Volume } from '../snapshots/set.ts';

/** systemd itself; its units come after. */
const BOOT_SECONDS = 120;

/** A container's part of a restore point. */
export type Point = { readonly set: SnapshotSet; readonly member: SetMember };

/** What a drill does on the host, as commands. */
export type DrillPlan = {
  /** Makes the stopped copy. */
  readonly clone: readonly Command[];
  /** Starts it, and waits until commands can be run in it. */
  readonly start: readonly Command[];
  readonly stop: Command;
  /** Takes the copy away, whatever state it is in; does nothing when it is not there. */
  readonly remove: Command;
  /** What of the live container the copy does without: a phrase each. */
  readonly without: readonly string[];
};

/**
 * The restore points of a container's root, newest first.
 *
 * @param sets newest first
 */
export function pointsOf(sets: readonly SnapshotSet[], instance: string): Point[] {
  return sets.flatMap((set) => {
    const member = set.members.find((one) => one.instance === instance && one.volume === undefined);
    return member === undefined ? [] : [{ set, member }];
  });
}

/**
 * The restore point that is meant.
 *
 * @param points newest first
 * @param to a snapshot's name, whole or as reports shorten it; or a release or its beginning (7 digits or more), before whose last
 *   deployment the restore point was cut; the newest one when left out
 * @throws SafetyError when there is none; InputError when nothing, or more than one release, is meant
 */
export function choosePoint(
  points: readonly Point[],
  to: string | undefined,
  names: { instance: string; project: string; environment: string },
): Point {
  const [newest] = points;
  if (newest === undefined) {
    throw new SafetyError(`${names.instance} has no restore point, so there is nothing that could be restored`, {
      instance: names.instance,
      next: `one is cut before a deploy changes anything; what there is: nx run ${names.project}:status -c ${names.environment}`,
    });
  }
  if (to === undefined) return newest;
  const named = points.filter(({ set }) => set.name === to || shortName(set.name) === to);
  const before = /^[0-9a-f]{7,40}$/.test(to)
    ? points.filter(({ set }) => set.name.startsWith('pre-deploy-') && set.release.startsWith(to))
    : [];
  const meant = named.length > 0 ? named : before;
  const [first] = meant;
  if (first === undefined) {
    throw new InputError(`--to=${to} is no restore point of ${names.instance}`, {
      next: `one of ${points.map(({ set }) => shortName(set.name)).join(', ')}; or the beginning of a release, 7 digits or more`,
    });
  }
  if (meant.some(({ set }) => set.release !== first.set.release)) {
    throw new InputError(`--to=${to} may mean several restore points: ${meant.map(({ set }) => set.name).join(', ')}`, {
      next: 'more digits',
    });
  }
  return first;
}

/**
 * How a copy of one snapshot is made, run and taken away again. The live instance and its data set are only read. Pure.
 *
 * @param volume the live container's root
 * @param pool the pool that it is on
 * @param stopSeconds how long the copy may take to stop
 */
export function planDrill(spec: DrillSpec, volume: Volume, pool: Pool, stopSeconds: number): DrillPlan {
  const dataset = volume.kind === 'zfs' ? datasetOf(pool, spec.project, spec.name) : undefined;
  const clone =
    volume.kind === 'zfs' && dataset !== undefined
      ? [createEmpty(spec, volume.pool), cloneForDrill(volume.dataset, spec.snapshot, dataset, spec.name)]
      : [copySnapshot(spec)];
  return {
    clone,
    start: [startDrill(spec.name, spec.project), waitForSystemd(spec.name, spec.project, BOOT_SECONDS)],
    stop: stopDrill(spec.name, spec.project, stopSeconds),
    remove: removeDrill(spec, spec.project, dataset),
    without: deviceNamesLeftOut(spec.live).map((name) => describeDevice(spec.live, name)),
  };
}

function describeDevice({ expanded_devices }: Instance, name: string): string {
  const { type = '', pool, source, path } = expanded_devices[name] ?? {};
  if (type === 'nic') return `network (${name})`;
  if (type === 'disk' && pool !== undefined) return `custom volume ${source} on ${path}: what is on it is not proved`;
  return `device ${name} (${type}${path === undefined ? '' : ` on ${path}`})`;
}
