import type { Command, CommandResult, Host } from '../engine/command.ts';
import { lastLines } from '../engine/errors.ts';
import { deleteInIncus, isGone } from '../platforms/incus/snapshots.ts';
import { destroyFailure, destroyOnZfs } from '../platforms/zfs/commands.ts';
import { shortName } from '../snapshots/name.ts';
import { explainPrune, type PruneDecision } from '../snapshots/prune.ts';
import { groupBy, memberName, type SetMember, type SnapshotSet, type Stray } from '../snapshots/set.ts';

/** What became of the sets. Nothing in it is fatal. */
export type PruneReport = {
  readonly destroyed: readonly SnapshotSet[];
  /** Snapshots that were to go and could not. */
  readonly stuck: readonly { readonly where: string; readonly because: string }[];
  /** Every decision and every result, a sentence each. */
  readonly sentences: readonly string[];
};

type Stuck = PruneReport['stuck'][number];
type Job = { readonly command: Command; readonly members: readonly SetMember[] };

/**
 * Carries out what `decidePrune` decided: one round trip, and a second one only where ZFS refused a list. Nothing is asked
 * of the host if nothing goes.
 */
export async function pruneSets(host: Host, decisions: readonly PruneDecision[], strays: readonly Stray[] = []): Promise<PruneReport> {
  const doomed = decisions.filter(({ keep }) => !keep).map(({ set }) => set);
  const sentences = explainDecisions(decisions, strays);
  if (doomed.length === 0) return { destroyed: [], stuck: [], sentences };
  const members = doomed.flatMap((set) => set.members);
  const first = await run(host, jobsFor(members));
  const again = first.flatMap(({ job, result }) => remaining(job, result));
  const second = await run(host, again);
  const stuck = [...first.flatMap(({ job, result }) => named(job, result)), ...second.flatMap(({ job, result }) => final(job, result))];
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

/** One call per dataset on ZFS, one per snapshot in Incus. */
function jobsFor(members: readonly SetMember[]): Job[] {
  const zfs = members.filter((member) => member.kind === 'zfs');
  const lists = [...groupBy(zfs, ({ dataset }) => dataset)].map(([dataset, all]) => ({
    command: destroyOnZfs(
      dataset,
      all.map(({ snapshot }) => snapshot),
    ),
    members: all,
  }));
  const incus = members.filter((member) => member.kind === 'incus');
  return [...lists, ...incus.map((member) => ({ command: deleteInIncus(member), members: [member] }))];
}

async function run(host: Host, jobs: readonly Job[]): Promise<{ job: Job; result: CommandResult }[]> {
  const all: { job: Job; result: CommandResult }[] = [];
  for (const wave of waves(jobs)) {
    const results = await host.run(wave.map(({ command }) => command));
    for (const [i, job] of wave.entries()) {
      const result = results[i];
      if (result === undefined) throw new Error(`the host gave no answer to ${job.command.argv.join(' ')}`);
      all.push({ job, result });
    }
  }
  return all;
}

/** Jobs that may run at the same time. Incus deletes two snapshots of one instance only one after the other (6.0.4: "record count doesn't match"). */
function waves(jobs: readonly Job[]): Job[][] {
  const places = groupBy(jobs, ({ members: [first] }) =>
    first?.kind === 'zfs' ? `${first.dataset}@${first.snapshot}` : `${first?.project}/${first && memberName(first)}`,
  );
  const longest = Math.max(0, ...[...places.values()].map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => [...places.values()].flatMap((all) => all[i] ?? []));
}

/** The rest of a list that ZFS refused for the sake of some: each for itself, so that none stands in another's way again. */
function remaining({ members }: Job, result: CommandResult): Job[] {
  const [first] = members;
  if (result.code === 0 || first?.kind !== 'zfs' || members.length === 1) return [];
  const failure = destroyFailure(result, first.dataset);
  if (failure.gone) return [];
  const rest = members.filter(({ snapshot }) => !failure.byName.has(snapshot));
  return rest.flatMap((member) =>
    member.kind === 'zfs' ? [{ command: destroyOnZfs(member.dataset, [member.snapshot]), members: [member] }] : [],
  );
}

/** The snapshots that a first call names as in the way. */
function named(job: Job, result: CommandResult): Stuck[] {
  const [first] = job.members;
  if (job.members.length === 1) return final(job, result);
  if (result.code === 0 || first?.kind !== 'zfs') return [];
  return [...destroyFailure(result, first.dataset).byName].map(([name, because]) => ({ where: `${first.dataset}@${name}`, because }));
}

/** Why a call for a single snapshot failed, unless only because it is gone already. */
function final({ members: [member] }: Job, result: CommandResult): Stuck[] {
  if (member === undefined || result.code === 0) return [];
  if (member.kind === 'incus')
    return isGone(result)
      ? []
      : [{ where: whereOf(member), because: lastLines(result.stderr || result.stdout, 1) || `exit code ${result.code}` }];
  const { gone, byName, all } = destroyFailure(result, member.dataset);
  return gone ? [] : [{ where: whereOf(member), because: byName.get(member.snapshot) ?? all ?? `exit code ${result.code}` }];
}

function whereOf(member: SetMember): string {
  return member.kind === 'zfs' ? `${member.dataset}@${member.snapshot}` : `${memberName(member)}/${member.snapshot}`;
}
