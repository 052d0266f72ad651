import { type DecideHost, decide } from '../snapshots/decide.ts';
import { deployHistory } from '../snapshots/history.ts';
import { notOneMoment } from '../snapshots/moment.ts';
import { acceptNoRestorePoint } from '../snapshots/support.ts';
import type { Invocation } from './run.ts';
import type { Survey } from './survey.ts';
import { namesOf } from './volumes.ts';

/** A host of the environment, by its name there, and what was seen of it. */
export type SeenHost = { readonly host: string; readonly seen: Pick<Survey, 'points' | 'audit' | 'coverage'> };

/** What the decision about a restore point must know of a host. */
export function decideHost({ host, seen }: SeenHost): DecideHost {
  return { host, points: seen.points, history: deployHistory(seen.audit), existing: namesOf(seen.coverage) };
}

/** A sentence about one of several hosts; of a single one everybody knows which it is. */
export function ofHost(host: string, sentence: string, hosts: readonly unknown[]): string {
  return hosts.length > 1 ? `${host}: ${sentence}` : sentence;
}

/**
 * What a deploy of this release would do about a restore point: a sentence each. Changes nothing.
 *
 * @param hosts those of the environment that were looked at
 */
export function foreseeRestorePoint(
  run: Pick<Invocation, 'environment' | 'targets'>,
  hosts: readonly SeenHost[],
  release: string,
  anyChange: boolean,
): string[] {
  const warnings = hosts.flatMap(({ host, seen }) => {
    const warning = acceptNoRestorePoint(run.environment, seen.coverage.without);
    return warning === undefined ? [] : [ofHost(host, warning, hosts)];
  });
  const decision = decide({ release, runId: '', hosts: hosts.map(decideHost), anyChangePlanned: anyChange });
  const verb = { reuse: 'would be reused', cut: 'would be cut', lazy: 'none would be cut', nothing: 'none' }[decision.kind];
  const cut = decision.kind === 'cut' ? hosts.filter(({ host }) => decision.hosts.includes(host)) : [];
  const moments = cut.flatMap(({ host, seen }) => notOneMoment(seen.coverage.volumes).map((sentence) => ofHost(host, sentence, hosts)));
  const others = [...new Set(run.targets.map(({ host }) => host))].filter((name) => !hosts.some(({ host }) => host === name)).sort();
  const unasked = others.length === 0 ? [] : [`${others.join(', ')} was not asked; a deploy decides by all hosts`];
  return [...warnings, `${verb}: ${decision.because}`, ...moments, ...betweenHosts(cut.map(({ host }) => host)), ...unasked];
}

/** That what is cut on several hosts is not of one moment. */
export function betweenHosts(hosts: readonly string[]): string[] {
  return hosts.length > 1 ? [`not in one moment: the hosts ${hosts.join(', ')} each cut their own part`] : [];
}
