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
import { decidePrune, type PruneDecision } from '../../snapshots/prune.ts';
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
    const { answers, dead } = await askLiving(hostsAsked(asked), async (host) => ({ host, ...decided(run, await survey(run, host, [])) }));
    return { success: true, data: pruned(run, [...answers.values()], dead), absent: dead };
  });
}

type Held = { readonly name: string; readonly lease: LeaseKeeper; readonly seen: Survey };

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
        const hosts = await onEvery(held, (one) => pruneHost(run, one));
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

async function pruneHost(run: Invocation, { name, lease, seen }: Held): Promise<HostPrune> {
  const { decisions, strays } = decided(run, seen);
  if (run.signal.aborted) throw new MooringError(`nothing was pruned: ${reasonOf(run.signal)}`, { host: name, step: 'prune' });
  const report = await pruneSets(seen.host, decisions, strays);
  const entries = [...leaseEntry(run, lease.note), pruneEntry(run, report)];
  const [written] = await seen.host.run([appendAudit(run.environment.name, entries)]);
  mustSucceed(written as CommandResult, 'what was pruned could not be written down', { host: name, step: 'prune' });
  return { host: name, decisions, strays, report };
}

function decided(run: Invocation, { points, audit }: Survey) {
  const { retention } = run.environment;
  const decisions = decidePrune({ sets: points.sets, history: deployHistory(audit), retention, runId: run.runId });
  return { decisions, strays: points.strays };
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
