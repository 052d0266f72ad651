import type { Host } from '../engine/command.ts';
import { byBackend, type DestroyJob, type SnapshotBackend, type Stuck } from '../snapshots/backend.ts';
import { shortName } from '../snapshots/name.ts';
import { explainPrune, type PruneDecision } from '../snapshots/prune.ts';
import { groupBy, type SnapshotSet, type Stray, whereOf } from '../snapshots/set.ts';
import { BACKENDS } from './backends.ts';

/** What became of the sets. Nothing in it is fatal. */
export type PruneReport = {
  readonly destroyed: readonly SnapshotSet[];
  /** Snapshots that were to go and could not. */
  readonly stuck: readonly Stuck[];
  /** Every decision and every result, a sentence each. */
  readonly sentences: readonly string[];
};

type Job = DestroyJob & { readonly backend: SnapshotBackend };

/**
 * Carries out what `decidePrune` decided: one round trip, and a second one only where a list was refused as a whole. Nothing is asked
 * of the host if nothing goes.
 */
export async function pruneSets(host: Host, decisions: readonly PruneDecision[], strays: readonly Stray[] = []): Promise<PruneReport> {
  const doomed = decisions.filter(({ keep }) => !keep).map(({ set }) => set);
  const sentences = explainDecisions(decisions, strays);
  if (doomed.length === 0) return { destroyed: [], stuck: [], sentences };
  const members = doomed.flatMap((set) => set.members);
  const jobs = byBackend(BACKENDS, members).flatMap(({ backend, own }) => backend.destroy(own).map((job) => ({ ...job, backend })));
  const first = await run(host, jobs);
  const second = await run(
    host,
    first.flatMap(({ again }) => again),
  );
  const stuck = [...first, ...second].flatMap((one) => one.stuck);
  const destroyed = doomed.filter((set) => !set.members.some((member) => stuck.some(({ where }) => where === whereOf(member))));
  return {
    destroyed,
    stuck,
    sentences: [
      ...sentences,
      ...destroyed.map((set) => `destroyed ${shortName(set.name)}`),
      ...stuck.map(({ where, because }) => `could not destroy ${where}, it stays: ${because}`),
    ],
  };
}

/** Every decision as a sentence: what a dry run prints. */
export function explainDecisions(decisions: readonly PruneDecision[], strays: readonly Stray[]): string[] {
  return [...decisions.map(explainPrune), ...strays.map(({ where, because }) => `keep ${where}: it is not ours: ${because}`)];
}

/** Runs jobs, those of one lane one after the other, and reads what became of each. */
async function run(host: Host, jobs: readonly Job[]): Promise<{ stuck: readonly Stuck[]; again: readonly Job[] }[]> {
  const all: { stuck: readonly Stuck[]; again: readonly Job[] }[] = [];
  for (const wave of waves(jobs)) {
    const results = await host.run(wave.map(({ command }) => command));
    for (const [i, { backend, ...job }] of wave.entries()) {
      const result = results[i];
      if (result === undefined) throw new Error(`the host gave no answer to ${job.command.argv.join(' ')}`);
      const { stuck, again } = backend.destroyed(job, result);
      all.push({ stuck, again: again.map((one) => ({ ...one, backend })) });
    }
  }
  return all;
}

/** Jobs that may run at the same time. */
function waves(jobs: readonly Job[]): Job[][] {
  const lanes = [...groupBy(jobs, ({ lane }) => lane).values()];
  const longest = Math.max(0, ...lanes.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => lanes.flatMap((all) => all[i] ?? []));
}
