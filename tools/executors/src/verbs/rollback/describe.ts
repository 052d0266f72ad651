import type { CommandResult } from '../../engine/command.ts';
import { describeState } from '../../snapshots/choose.ts';
import { type DeployEntry, deployHistory } from '../../snapshots/history.ts';
import { shortName } from '../../snapshots/name.ts';
import type { Goal } from '../../snapshots/rollback.ts';
import { showTime, sortableTime } from '../../snapshots/time.ts';
import type { Aim } from './aim.ts';
import type { RollbackView } from './look.ts';
import type { ContainerRollback } from './plan.ts';

type Part = { readonly view: RollbackView; readonly aim: Aim; readonly plans: readonly ContainerRollback[] };

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
function containerPlan(plan: ContainerRollback, writtenSince: number | undefined, newer: readonly string[]): ContainerPlan {
  const { target } = plan.candidate;
  const present = plan.volumes.map((one) => one.present);
  return { container: target.project, instance: target.instance, writtenSince, present, newer };
}

/** Where a goal goes, as a sentence. */
function showGoal(goal: Goal, history: readonly DeployEntry[], keptAt: string | undefined): string {
  if (goal.kind === 'undo')
    return `forward again: to what the roll-back ${goal.run} left${keptAt === undefined ? '' : ` at ${showTime(sortableTime(keptAt))}`}`;
  return `back to ${shortName(goal.set.name)}: ${describeState(goal.set, history)}`;
}

/** Puts a plan into words, and asks the hosts how much was written since the state gone back to. */
export async function describe(environment: string, parts: readonly Part[]): Promise<RollbackPlan> {
  const containers = (await Promise.all(parts.map(containersOf))).flat();
  const [first] = parts;
  if (first === undefined) throw new RangeError('a roll-back has a host');
  const { goal } = first.aim.attempt;
  const keptAt = goal.kind === 'undo' ? first.view.kept.find(({ mark }) => mark.run === goal.run)?.mark.time : undefined;
  return {
    environment,
    to: showGoal(goal, deployHistory(first.view.audit), keptAt),
    containers,
    notes: [
      ...parts.flatMap(({ aim }) => aim.notes),
      'Each service is down while it stops and starts; the exchange itself takes under a second for any amount of data.',
    ],
  };
}

async function containersOf({ view, plans }: Part): Promise<ContainerPlan[]> {
  const asked = plans.flatMap((plan) => plan.volumes.flatMap(({ newer }) => (newer === undefined ? [] : [{ plan, ...newer }])));
  const results = await view.host.run(asked.map(({ written }) => written.command));
  const known = asked.map(({ plan, names, written }, i) => ({ plan, names, bytes: written.parse(results[i] as CommandResult) }));
  return plans.map((plan) => {
    const own = known.filter((one) => one.plan === plan);
    const written = own.length === 0 ? undefined : own.reduce((all, { bytes }) => all + bytes, 0);
    return containerPlan(plan, written, [...new Set(own.flatMap(({ names }) => names))]);
  });
}
