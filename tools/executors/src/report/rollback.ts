import { describeState } from '../snapshots/choose.ts';
import type { DeployEntry } from '../snapshots/history.ts';
import { shortName } from '../snapshots/name.ts';
import { memberName } from '../snapshots/set.ts';
import { showTime, sortableTime } from '../snapshots/time.ts';
import type { RolledBack } from '../verbs/rollback/perform.ts';
import { type ContainerRollback, type Goal, PRESENT } from '../verbs/rollback/plan.ts';
import { table } from './table.ts';

/** What a roll-back would do, as data: for `--json` and for the text. */
export type RollbackPlan = {
  readonly environment: string;
  /** Where it goes, a sentence. */
  readonly to: string;
  readonly containers: readonly ContainerPlan[];
  /** What else is to be known, a sentence each. */
  readonly notes: readonly string[];
};

type ContainerPlan = {
  readonly container: string;
  readonly instance: string;
  /** Bytes written since the state gone back to; nothing where the storage does not tell. */
  readonly writtenSince: number | undefined;
  /** What happens to its present state, a sentence's part. */
  readonly present: readonly string[];
  /** Snapshots that are newer than the state gone back to, and where they will be. */
  readonly newer: readonly string[];
};

/** One container's part of the plan. */
export function containerPlan(plan: ContainerRollback, writtenSince: number | undefined, newer: readonly string[]): ContainerPlan {
  const { target } = plan.candidate;
  const present = plan.volumes.map((volume) => {
    if (volume.kind === 'in-place') return `DESTROYED in ${volume.dataset}: ${[...volume.destroy, PRESENT].join(', ')}`;
    if (volume.kind === 'restore') return `kept as a snapshot of ${memberName(volume.volume)}`;
    return `kept as ${volume.swap.kept}`;
  });
  return { container: target.project, instance: target.instance, writtenSince, present, newer };
}

/** Where a goal goes, as a sentence. */
export function showGoal(goal: Goal, history: readonly DeployEntry[], keptAt: string | undefined): string {
  if (goal.kind === 'undo')
    return `forward again: to what the roll-back ${goal.run} left${keptAt === undefined ? '' : ` at ${showTime(sortableTime(keptAt))}`}`;
  return `back to ${shortName(goal.set.name)}: ${describeState(goal.set, history)}`;
}

/** The plan for a terminal. */
export function showRollbackPlan(plan: RollbackPlan): string {
  const rows = plan.containers.map(({ instance, writtenSince, present, newer }) => [
    instance,
    writtenSince === undefined ? 'unknown' : bytes(writtenSince),
    present.join('; '),
    newer.length === 0 ? '-' : newer.map(shortName).join(', '),
  ]);
  return [
    `${plan.environment}: ${plan.to}`,
    table(['container', 'written since', 'the present state is', 'newer snapshots, with it'], rows),
    ...plan.notes,
  ].join('\n');
}

/** How it ended. */
export function showRolledBack(environment: string, to: string, done: readonly RolledBack[]): string {
  const lines = done.map(({ container, downSeconds, notes }) => `${container}: down for ${downSeconds} s; ${notes.join('; ')}`);
  return [`${environment}: ${to}: done`, ...lines].join('\n');
}

/** Bytes for a reader. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  return `${power === 0 ? count : (count / 1024 ** power).toFixed(1)} ${units[power]}`;
}
