import type { Command } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import type { Instance, Pool } from '../../engine/instance.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { BACKENDS, INSTANCES } from '../../shared/backends.ts';
import { backendOf } from '../../snapshots/backend.ts';
import { chooseBefore, chooseTo } from '../../snapshots/choose.ts';
import type { DrillSpec } from '../../snapshots/drill.ts';
import type { DeployEntry } from '../../snapshots/history.ts';
import { restorePointsOf, type SetMember, type SnapshotSet } from '../../snapshots/set.ts';

/** systemd itself; its units come after. */
const BOOT_SECONDS = 120;

/** A container's part of a restore point. */
export type Point = { readonly set: SnapshotSet; readonly member: SetMember };

/** Which container is meant, in words. */
type DrillSubject = { readonly instance: string; readonly project: string; readonly environment: string };

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
 * The restore point that is meant.
 *
 * @param sets newest first
 * @param history oldest first
 * @param to a restore point's name, whole or as tables shorten it; or a release (7 digits or more) that it was cut before, as
 *   `rollback --before` takes it; the newest that has the container when left out
 * @throws SafetyError when there is none; InputError naming what there is
 */
export function choosePoint(
  sets: readonly SnapshotSet[],
  history: readonly DeployEntry[],
  target: DrillSubject,
  to: string | undefined,
): Point {
  const points = restorePointsOf(sets, target.instance);
  const [newest] = points;
  if (newest === undefined) {
    throw new SafetyError(`${target.instance} has no restore point, so there is nothing that could be restored`, {
      instance: target.instance,
      next: `one is cut before a deploy changes anything; what there is: ${nxRun('status', target)}`,
    });
  }
  if (to === undefined) return newest;
  const own = points.map(({ set }) => set);
  const { set } = /^[0-9a-f]+$/.test(to) ? chooseBefore(own, history, to) : chooseTo(own, to);
  return points.find((point) => point.set === set) as Point;
}

/**
 * How a copy of one snapshot is made, run and taken away again. The live instance and its data set are only read. Pure.
 *
 * @param member the container's part of the restore point
 * @param pool the pool that its root is on
 * @param stopSeconds how long the copy may take to stop
 */
export function planDrill(spec: DrillSpec, member: SetMember, pool: Pool, stopSeconds: number): DrillPlan {
  const backend = backendOf(BACKENDS, member);
  return {
    clone: backend.copyForDrill(member, spec, pool),
    start: [INSTANCES.drills.start(spec.name, spec.project), INSTANCES.drills.waitUntilUp(spec.name, spec.project, BOOT_SECONDS)],
    stop: INSTANCES.drills.stop(spec.name, spec.project, stopSeconds),
    remove: backend.removeDrill(spec, spec.project, pool),
    without: INSTANCES.drills.leftOut(spec.live).map((name) => describeDevice(spec.live, name)),
  };
}

function describeDevice({ expanded_devices }: Instance, name: string): string {
  const { type = '', pool, source, path } = expanded_devices[name] ?? {};
  if (type === 'nic') return `network (${name})`;
  if (type === 'disk' && pool !== undefined) return `custom volume ${source} on ${path}: what is on it is not proved`;
  return `device ${name} (${type}${path === undefined ? '' : ` on ${path}`})`;
}
