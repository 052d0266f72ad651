import type { CommandResult } from '../../engine/command.ts';
import { writtenSince } from '../../platforms/zfs/lineage.ts';
import { containerPlan, type RollbackPlan, showGoal } from '../../report/rollback.ts';
import { deployHistory } from '../../snapshots/history.ts';
import type { Aim } from './aim.ts';
import type { RollbackView } from './look.ts';
import type { ContainerRollback } from './plan.ts';

type Part = { readonly view: RollbackView; readonly aim: Aim; readonly plans: readonly ContainerRollback[] };

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
      one.kind !== 'restore' && one.kind !== 'kept' && view.listing.get(one.volume.kind === 'zfs' ? one.volume.dataset : '') !== 'absent'
        ? [{ plan, snapshot: one.snapshot, dataset: one.volume.kind === 'zfs' ? one.volume.dataset : '' }]
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
