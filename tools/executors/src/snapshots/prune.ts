import { type HostSets, withMissing } from './environment-set.ts';
import { type DeployEntry, type HostHistory, isAbout, standing, withEnds } from './history.ts';
import { parseSetName, shortName, shortRelease } from './name.ts';
import type { SnapshotSet } from './set.ts';

/** What the rules may know. */
export type PruneContext = {
  /** All sets, newest first. */
  readonly sets: readonly SnapshotSet[];
  /** Deploys, oldest first. */
  readonly history: readonly DeployEntry[];
  /** How many restore points to keep, at least. 1 or more. */
  readonly retention: number;
  /** This run. */
  readonly runId: string;
  /** Id of the set that this deploy has as its restore point. */
  readonly current?: string;
};

/** Keeps a set by giving the reason; nothing when it does not care. */
export type PruneRule = (set: SnapshotSet, context: PruneContext) => string | undefined;

/** What becomes of a set, and every reason to keep it. It goes only if no rule objects. */
export type PruneDecision = { readonly set: SnapshotSet; readonly keep: boolean; readonly because: readonly string[] };

const ofThisDeploy: PruneRule = (set, { current, runId }) =>
  set.id === current || set.id === runId ? "it is this deploy's restore point" : undefined;

/**
 * The one that the last completed deploy was made over; one that changed nothing had none, and is passed over. Where the
 * log tells of no completed deploy, any may be it.
 */
export const ofLastGoodDeploy: PruneRule = (set, { sets, history }) => {
  const completed = history.filter(({ result }) => result === 'ok');
  if (completed.length === 0) return 'the audit log has no completed deploy, so it may be the last good one';
  const last = completed.findLast((entry) => sets.some((one) => isAbout(entry, one)));
  return last !== undefined && isAbout(last, set)
    ? `it is the restore point of the last good deploy (${shortRelease(last.release)})`
    : undefined;
};

/** The first one cut since then has the state that the last good deploy left: what one wants back when later deploys fail. */
const stateOfLastGoodDeploy: PruneRule = (set, { sets, history }) => {
  if (standing(set, history) === 'before') return undefined;
  const first = sets.findLast((one) => one.missing.length === 0 && standing(one, history) !== 'before');
  return set === first ? 'it holds the state that the last good deploy left' : undefined;
};

/** What a roll-back left is not in the way of anything, and goes by name only (`zfs:prune --preserved`). */
const leftByRollback: PruneRule = (set) =>
  isLeftByRollback(set) ? 'it is the state that a roll-back left; only zfs:prune --preserved takes it away' : undefined;

function isLeftByRollback({ name }: SnapshotSet): boolean {
  return parseSetName(name)?.kind === 'rollback';
}

/** Sets that count: cut whole, before a deploy. */
function counted(sets: readonly SnapshotSet[]): SnapshotSet[] {
  return sets.filter((set) => set.missing.length === 0 && !isLeftByRollback(set));
}

/** The newest ones; those not cut whole do not count. */
const amongNewest: PruneRule = (set, { sets, retention }) => {
  const newer = counted(sets.slice(0, sets.indexOf(set)));
  return newer.length < retention ? `it is among the newest ${retention}` : undefined;
};

/**
 * The states before each of the last releases was deployed for the first and for the last time: further sets of one
 * release, cut when it was deployed again with changes, do not push earlier releases out.
 */
const ofLastReleases: PruneRule = (set, { sets, retention }) => {
  const whole = counted(sets);
  const last = [...new Set(whole.map(({ release }) => release))].slice(0, retention);
  if (!last.includes(set.release)) return undefined;
  const same = whole.filter(({ release }) => release === set.release);
  const when = set === same.at(-1) ? 'first' : set === same[0] ? 'last' : undefined;
  return when && `it is the state before ${shortRelease(set.release)}, one of the last ${retention} releases, was ${when} deployed`;
};

/** Somebody keeps it on purpose. */
export const held: PruneRule = (set) => {
  const names = set.members.flatMap(({ holds = 0, dataset, snapshot }) => (holds > 0 ? [`${dataset}@${snapshot}`] : []));
  return names.length === 0 ? undefined : `it is held (zfs holds ${names.join(' ')})`;
};

/** A dataset lives on it. */
const cloned: PruneRule = (set) => {
  const clones = set.members.flatMap(({ clones = [] }) => clones);
  return clones.length === 0 ? undefined : `it has clones (${clones.join(', ')})`;
};

const pruneRules: readonly PruneRule[] = [
  ofThisDeploy,
  ofLastGoodDeploy,
  stateOfLastGoodDeploy,
  amongNewest,
  ofLastReleases,
  leftByRollback,
  held,
  cloned,
];

/**
 * Decides which sets go. A set goes as a whole, and only if no rule objects. What is not proved to be ours is no set
 * (`RestorePoints.strays`), so it cannot get here. Pure.
 */
export function decidePrune(context: PruneContext, rules: readonly PruneRule[] = pruneRules): PruneDecision[] {
  if (!Number.isInteger(context.retention) || context.retention < 1)
    throw new RangeError(`retention is ${context.retention}, it must be 1 or more`);
  return context.sets.map((set) => {
    const because = rules.flatMap((rule) => rule(set, context) ?? []);
    return { set, keep: because.length > 0, because };
  });
}

/** What was decided on one host. */
export type HostDecisions = { readonly host: string; readonly decisions: readonly PruneDecision[] };

/**
 * Decides once for all hosts of an environment. The rules are asked of each host, which count what is whole over all of them; a restore
 * point that one host has a reason to keep stays on all, or what stays would be a part that nothing can go back to. Pure.
 *
 * @returns in the order of the hosts
 */
export function decidePruneOfAll(
  hosts: readonly (HostSets & HostHistory)[],
  rest: Omit<PruneContext, 'sets' | 'history'>,
): HostDecisions[] {
  const each = withMissing(hosts).map((one) => ({
    host: one.host,
    decisions: decidePrune({ ...rest, sets: one.points.sets, history: withEnds(one, others(hosts, one)) }),
  }));
  return each.map(({ host, decisions }) => ({
    host,
    decisions: decisions.map((decision) => {
      if (decision.keep) return decision;
      const because = others(each, { host }).flatMap((other) => keptThere(other, decision.set));
      return { ...decision, keep: because.length > 0, because };
    }),
  }));
}

function others<T extends { readonly host: string }>(hosts: readonly T[], { host }: { readonly host: string }): T[] {
  return hosts.filter((one) => one.host !== host);
}

function keptThere({ host, decisions }: HostDecisions, { id }: SnapshotSet): string[] {
  const kept = decisions.find(({ set, keep }) => keep && set.id === id);
  return kept === undefined ? [] : [`its part on host ${host} stays: ${kept.because.join('; ')}`];
}

/** A decision as a sentence. */
export function explainPrune({ set, keep, because }: PruneDecision): string {
  return keep ? `keep ${shortName(set.name)}: ${because.join('; ')}` : `destroy ${shortName(set.name)}: no rule keeps it`;
}
