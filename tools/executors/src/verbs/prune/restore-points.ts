import { appendAudit, type NewAuditEntry } from '../../audit/audit.ts';
import type { CommandResult } from '../../engine/command.ts';
import { MooringError, mustSucceed } from '../../engine/errors.ts';
import { runIdOf } from '../../engine/run-id.ts';
import { reasonOf } from '../../engine/stopped.ts';
import { onEvery } from '../../shared/every-host.ts';
import { LeaseKeeper } from '../../shared/lease-keeper.ts';
import { offeringWithout, showLeftOut } from '../../shared/left-out.ts';
import { type PruneReport, pruneSets } from '../../shared/prune-sets.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { hostsOf, type Invocation } from '../../shared/run.ts';
import { type Survey, survey } from '../../shared/survey.ts';
import { askLiving, hostsAsked, withLook, withRun } from '../../shared/verb-run.ts';
import { deployHistory } from '../../snapshots/history.ts';
import { decidePruneOfAll, type HostDecisions, type PruneDecision } from '../../snapshots/prune.ts';
import type { Stray } from '../../snapshots/set.ts';
import type { PruneOptions } from './options.ts';

/** What was decided on one host, and what became of it; no report of a dry run. */
export type HostPrune = {
  readonly host: string;
  readonly decisions: readonly PruneDecision[];
  readonly strays: readonly Stray[];
  readonly report?: PruneReport;
};

/** What prune answers with: the hosts that were pruned, or would be, those that gave no answer, and a sentence for each that was left out. */
export type Pruned = {
  readonly environment: string;
  readonly hosts: readonly HostPrune[];
  readonly dead: ReadonlyMap<string, MooringError>;
  readonly leftOut: readonly string[];
};

/**
 * Destroys the restore points that no rule keeps, under the lease. What cannot be destroyed stays, is told, and is no failure:
 * the next prune tries again.
 */
export function pruneRestorePoints(request: VerbRequest<PruneOptions>): Promise<Answer<Pruned>> {
  return request.options.dryRun ? foresee(request) : destroy(request);
}

/** `--dry-run`: as far as the hosts answer. */
function foresee(request: VerbRequest<PruneOptions>): Promise<Answer<Pruned>> {
  return withLook(request, async (run, asked) => {
    const { answers, dead } = await askLiving(hostsAsked(asked), async (name) => ({ name, seen: await survey(run, name, []) }));
    const hosts = decided(run, [...answers.values()]).map(({ host, decisions, strays }) => ({ host, decisions, strays }));
    return { success: true, data: pruned(run, hosts, dead), absent: dead };
  });
}

type Looked = { readonly name: string; readonly seen: Survey };
type Held = Looked & { readonly lease: LeaseKeeper };

/** All hosts are looked at under their leases before anything is destroyed on one. */
function destroy(request: VerbRequest<PruneOptions>): Promise<Answer<Pruned>> {
  const { options, projects } = request;
  const runId = runIdOf(request.world);
  return withRun(
    request,
    async (run, targets) => {
      const held: Held[] = [];
      try {
        for (const name of hostsOf(targets))
          held.push(
            await hold(run, name, options).catch((error: unknown) => {
              throw offeringWithout(error, name, run.targets, { without: run.without, projects });
            }),
          );
        const hosts = await onEvery(decided(run, held), (one) => pruneHost(run, one));
        return { success: true, data: pruned(run, hosts, new Map()) };
      } finally {
        for (const { lease } of held) await lease.giveBack();
      }
    },
    runId,
  );
}

async function hold(run: Invocation, name: string, options: PruneOptions): Promise<Held> {
  const lease = new LeaseKeeper(run, await run.host(name), options, `${run.workspace.storage.project}:prune`);
  return { name, lease, seen: await lease.hold((opening) => survey(run, name, [], opening)) };
}

async function pruneHost(run: Invocation, { host, decisions, strays, of: { lease, seen } }: Decided<Held>): Promise<HostPrune> {
  if (run.signal.aborted) throw new MooringError(`nothing was pruned: ${reasonOf(run.signal)}`, { host, step: 'prune' });
  const report = await pruneSets(seen.host, decisions, strays);
  const entries = [...leaseEntry(run, lease.note), pruneEntry(run, report)];
  const [written] = await seen.host.run([appendAudit(run.environment.name, entries)]);
  mustSucceed(written as CommandResult, 'what was pruned could not be written down', { host, step: 'prune' });
  return { host, decisions, strays, report };
}

type Decided<T> = HostDecisions & { readonly strays: readonly Stray[]; readonly of: T };

/** Once for all hosts. */
function decided<T extends Looked>({ environment, runId }: Invocation, looked: readonly T[]): Decided<T>[] {
  const hosts = looked.map(({ name, seen: { points, audit } }) => ({ host: name, points, history: deployHistory(audit) }));
  const decisions = decidePruneOfAll(hosts, { retention: environment.retention, runId });
  return looked.map((of, i) => ({ ...(decisions[i] as HostDecisions), strays: of.seen.points.strays, of }));
}

function leaseEntry({ runId, who }: Invocation, note: string | undefined): NewAuditEntry[] {
  return note === undefined ? [] : [{ run: runId, who, what: 'lease', result: 'ok', detail: note }];
}

/** The audit log's line about a prune; one that found nothing to destroy is written down too. */
function pruneEntry({ runId, who }: Invocation, { destroyed, stuck }: PruneReport): NewAuditEntry {
  const changes = [
    ...destroyed.map(({ name, id }) => `destroyed ${name} (set ${id})`),
    ...stuck.map(({ where, because }) => `could not destroy ${where}: ${because}`),
  ];
  return { run: runId, who, what: 'prune', result: 'ok', ...(changes.length === 0 ? { detail: 'nothing to destroy' } : { changes }) };
}

function pruned(run: Invocation, hosts: readonly HostPrune[], dead: Pruned['dead']): Pruned {
  return { environment: run.environment.name, hosts, dead, leftOut: showLeftOut(run) };
}
