import type { CommandResult } from '../../engine/command.ts';
import { writtenSince } from '../../platforms/zfs/lineage.ts';
import { describeState } from '../../snapshots/choose.ts';
import { type DeployEntry, deployHistory } from '../../snapshots/history.ts';
import { shortName } from '../../snapshots/name.ts';
import { memberName } from '../../snapshots/set.ts';
import { showTime, sortableTime } from '../../snapshots/time.ts';
import type { Aim } from './aim.ts';
import { PRESENT } from './in-place.ts';
import type { RollbackView } from './look.ts';
import type { ContainerRollback, Goal } from './volume-plan.ts';

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
  const present = plan.volumes.map((volume) => {
    if (volume.kind === 'in-place') return `DESTROYED in ${volume.dataset}: ${[...volume.destroy, PRESENT].join(', ')}`;
    if (volume.kind === 'restore') return `kept as a snapshot of ${memberName(volume.volume)}`;
    return `kept as ${volume.swap.kept}`;
  });
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

async function containersOf({ view, plans }: Part) {
  const facts = plans.map((plan) =>
    plan.volumes.flatMap((one) =>
      one.kind !== 'restore' && one.kind !== 'kept' && view.listing.get(one.volume.dataset ?? '') !== 'absent'
        ? [{ plan, snapshot: one.snapshot, dataset: one.volume.dataset ?? '' }]
        : [],
    ),
  );
  const there = facts.flat().filter(({ dataset, snapshot }) => newerThan(view, dataset, snapshot) !== undefined);
  const results: CommandResult[] = await view.host.run(there.map(({ dataset, snapshot }) => writtenSince(dataset, snapshot).command));
  return plans.map((plan) => {
    const own = there.flatMap((one, i) => (one.plan === plan ? [{ ...one, result: results[i] as CommandResult }] : []));
    const written = own.map(({ dataset, snapshot, result }) => writtenSince(dataset, snapshot).parse(result));
    const newer = own.flatMap(({ dataset, snapshot }) => newerThan(view, dataset, snapshot) ?? []);
    return containerPlan(plan, written.length === 0 ? undefined : written.reduce((all, one) => all + one, 0), [...new Set(newer)]);
  });
}

/** Names of the snapshots of a dataset that are newer than one of them; nothing when that one is not on it. */
function newerThan(view: RollbackView, dataset: string, snapshot: string): string[] | undefined {
  const listed = view.listing.get(dataset);
  if (listed === undefined || listed === 'absent') return undefined;
  const at = listed.snapshots.find(({ name }) => name === snapshot);
  return at && listed.snapshots.filter(({ createtxg }) => createtxg > at.createtxg).map(({ name }) => name);
}
