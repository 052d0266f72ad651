import type { NewAuditEntry } from '../../audit/audit.ts';
import { TOOL } from '../../engine/version.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { cutSet } from '../../shared/cut-set.ts';
import { placeOf } from '../../shared/instance-look.ts';
import type { Invocation } from '../../shared/run.ts';
import { nextSetName } from '../../snapshots/name.ts';
import type { VolumePlan } from '../../snapshots/rollback.ts';
import type { Volume } from '../../snapshots/set.ts';
import type { Aim } from './aim.ts';
import { type Candidate, type RollbackView, seenOf } from './look.ts';
import type { RollbackOptions } from './options.ts';
import { writeDown } from './perform.ts';
import type { ContainerRollback } from './plan.ts';

/** One host's part of a roll-back. */
export type Part = {
  readonly view: RollbackView;
  readonly concerned: readonly Candidate[];
  readonly aim: Aim;
  readonly plans: readonly ContainerRollback[];
};

/** Writes down that it begins, and cuts the last snapshot of what is on ZFS; an interrupted run may have done both. */
export async function begin(run: Invocation, part: Part, options: RollbackOptions): Promise<void> {
  const { view, aim: aimed, concerned, plans } = part;
  const { runId } = aimed.attempt;
  const cut = view.points.sets.some(({ id }) => id === runId) || view.kept.some(({ mark }) => mark.run === runId);
  const keys = (when: VolumePlan['key']) =>
    plans
      .filter(({ volumes }) => volumes.some(({ key }) => key === when))
      .map(({ candidate: { target } }) => INSTANCES.markRollback(placeOf(target), runId));
  const last = keys('after');
  if (cut && last.length === 0) return;
  // In place nothing is cut by which a later run could tell how far this one came: once it is written down, every key is there.
  await writeDown(run, view, [entry(run, part, 'started')], { first: keys('before'), last });
  const volumes = concerned.flatMap((one) => one.volumes).filter((one) => seenOf(view, one).isCutFirst(one));
  if (!cut && !options.inPlace) await cutLast(run, part, runId, volumes);
}

/**
 * Cuts, where Incus restores, the present that is about to be left: the snapshot is all that is kept of it. So only once
 * everything is stopped, and anew by a run that finishes an interrupted one: until then users may have written.
 */
export function keep(run: Invocation, part: Part, plans: readonly ContainerRollback[], id: string): Promise<void> {
  const volumes = plans.flatMap((plan) => plan.volumes.flatMap((one) => (one.restores ? [one.volume] : [])));
  return cutLast(run, part, id, volumes);
}

async function cutLast(
  run: Invocation,
  { view, aim: { attempt }, concerned }: Part,
  id: string,
  volumes: readonly Volume[],
): Promise<void> {
  if (volumes.length === 0) return;
  const mark = { id, release: attempt.before, environment: run.environment.name, tool: TOOL };
  const name = nextSetName(attempt.before, view.points.taken, 'rollback');
  const { sentences } = await cutSet(view.host, { name, mark, volumes, instances: concerned.map(({ instance }) => instance) });
  for (const sentence of sentences) run.progress(`${view.name}: ${sentence}`);
}

/** A line of the audit log about it. */
export function entry(run: Invocation, { aim: { attempt, container } }: Part, result: string, detail?: string): NewAuditEntry {
  const { goal, runId, before } = attempt;
  return {
    run: runId,
    who: run.who,
    what: goal.kind === 'undo' ? 'undo' : 'rollback',
    result,
    release: before,
    set: goal.kind === 'undo' ? goal.run : goal.set.id,
    ...(container === undefined ? {} : { container }),
    ...(detail === undefined ? {} : { detail }),
  };
}
