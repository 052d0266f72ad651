import type { SnapshotSet } from './set.ts';
import { sortableTime } from './time.ts';

/** One line of the audit log about a deploy or a roll-back. */
export type DeployEntry = {
  readonly release: string;
  /**
   * `started` is written before the first thing is cut or changed: a killed run leaves it without an end. `broken` is a
   * line that a crash of the host cut off: it may have been an `ok`. `rolled-back`: the state is no longer the one that the
   * deploys before it left.
   */
  readonly result: 'started' | 'ok' | 'failed' | 'broken' | 'rolled-back';
  /** Id of the set that the deploy had as its restore point. */
  readonly set?: string;
  /** Hosts of the environment that it left out. */
  readonly without?: readonly string[];
  readonly run: string;
  /** RFC 3339, by the host's clock. */
  readonly at: string;
};

/** A line of the audit log, as far as it matters here. */
type AuditLine = {
  readonly time: string;
  readonly run: string;
  readonly what: string;
  readonly result: string;
  readonly release?: string;
  readonly set?: string;
  readonly without?: readonly string[];
};

/** The deploys of an audit log, and its broken lines, oldest first. */
export function deployHistory(audit: readonly AuditLine[]): DeployEntry[] {
  return audit.flatMap(({ what, release = '', result, set, run, time, without }): DeployEntry[] => {
    if (result === 'broken') return [{ release: '', result, run, at: time }];
    if ((what === 'rollback' || what === 'undo') && result !== 'failed') {
      return [{ release, result: 'rolled-back', run, at: time, ...(set === undefined ? {} : { set }) }];
    }
    if (what !== 'deploy' || release === '' || (result !== 'started' && result !== 'ok' && result !== 'failed')) return [];
    return [{ release, result, run, at: time, ...(set === undefined ? {} : { set }), ...(without === undefined ? {} : { without }) }];
  });
}

/** The deploy that the present state is of: the last that completed, unless a roll-back has begun since. */
export function lastCompleted(history: readonly DeployEntry[]): DeployEntry | undefined {
  const last = history.findLast(isBoundary);
  return last?.result === 'ok' ? last : undefined;
}

/** Whether an entry ends what came before it: a restore point from before it is not newer than the last completed deploy. */
function isBoundary({ result }: DeployEntry): boolean {
  return result === 'ok' || result === 'rolled-back';
}

/** Whether an entry is about a set: it names it, or is of the run that cut it. */
export function isAbout(entry: DeployEntry, set: Pick<SnapshotSet, 'id'>): boolean {
  return entry.set === set.id || entry.run === set.id;
}

/**
 * Whether a set was cut since the last completed deploy. `after` is proved only by an entry of the log, for the log may
 * have been lost and the clock may have jumped; `unknown` when nothing proves either.
 *
 * @param history oldest first
 */
export function standing(set: SnapshotSet, history: readonly DeployEntry[]): 'before' | 'after' | 'unknown' {
  const last = history.findLastIndex(isBoundary);
  const named = history.flatMap((entry, i) => (isAbout(entry, set) ? [i] : []));
  if (named.some((i) => i <= last)) return 'before';
  if (named.length > 0) return history.slice(named[0]).some(({ result }) => result === 'broken') ? 'unknown' : 'after';
  const end = history[last];
  return end !== undefined && set.cutAt <= sortableTime(end.at) ? 'before' : 'unknown';
}

/** The deploys of one host of an environment. */
export type HostHistory = { readonly host: string; readonly history: readonly DeployEntry[] };

/**
 * A host's deploys, with the ends that other hosts tell of: a run completes as a whole, and writes that down on one host after the other.
 * So a run that has begun here, was killed then, and stands as completed in another log, has completed here too.
 */
export function withEnds({ host, history }: HostHistory, others: readonly HostHistory[]): DeployEntry[] {
  return history.flatMap((entry, i) => {
    const goesOn = history.slice(i + 1).some(({ run }) => run === entry.run);
    if (entry.result !== 'started' || goesOn) return [entry];
    const end = others
      .flatMap((other) => other.history)
      .find(({ run, result, without }) => run === entry.run && result === 'ok' && !without?.includes(host));
    return end === undefined ? [entry] : [entry, { ...end, at: entry.at }];
  });
}
