import type { ReleasePlan } from '../../apps/index.ts';
import { appendAudit, type NewAuditEntry } from '../../audit/audit.ts';
import type { Change } from '../../engine/change.ts';
import type { CommandResult } from '../../engine/command.ts';
import { mustSucceed } from '../../engine/errors.ts';
import { showChange } from '../../engine/show-change.ts';
import type { OpenHost } from '../../engine/transport.ts';
import type { HeldLease } from '../../lease/hold.ts';
import { leaseNote, releaseLease } from '../../lease/lease.ts';
import { type LeaseFlags, takeLease } from '../lease-keeper.ts';
import type { GuestSession } from './guest.ts';
import type { AppInvocation } from './run.ts';
import type { PreparedApp } from './target.ts';

/** A guest at work in this run: its connection, its lease once something is changed, and what will be written down in it. */
export class Session {
  readonly #run: AppInvocation;
  readonly #target: PreparedApp;
  readonly host: OpenHost;
  #lease: Promise<HeldLease> | undefined;
  readonly #entries: NewAuditEntry[] = [];

  constructor(run: AppInvocation, target: PreparedApp, host: OpenHost) {
    this.#run = run;
    this.#target = target;
    this.host = host;
  }

  /** What works inside the guest without its lease, and so only looks. */
  looking(): GuestSession {
    const { signal, progress, world } = this.#run;
    return {
      host: this.host,
      desired: this.#target.desired,
      signal,
      progress,
      now: world.now,
      obtain: (artifact) => this.#run.obtain(this.#target, artifact),
    };
  }

  /** The same under the guest's lease, which is taken once and kept until {@link end}. @throws LeaseHeldError */
  async leased(flags: LeaseFlags, commit: string): Promise<GuestSession> {
    this.#lease ??= this.#take(flags, commit);
    const { signal } = await this.#lease;
    return { ...this.looking(), signal: AbortSignal.any([signal, this.#run.signal]) };
  }

  /** Something for the guest's audit log. */
  note(entry: Pick<NewAuditEntry, 'what' | 'result'> & Partial<NewAuditEntry>): void {
    const { runId, who, clean } = this.#run;
    const changes = entry.changes?.map(clean.text);
    const detail = entry.detail === undefined ? {} : { detail: clean.text(entry.detail) };
    this.#entries.push({ run: runId, who, container: this.#target.guest.name, ...entry, ...(changes ? { changes } : {}), ...detail });
  }

  /** What a step has changed, for the same log; nothing where it changed nothing, and has nothing else to tell. */
  did(what: NewAuditEntry['what'], changes: readonly Change[], detail?: string): void {
    if (changes.length > 0 || detail !== undefined)
      this.note({ what, result: 'ok', changes: changes.map(showChange), ...(detail === undefined ? {} : { detail }) });
  }

  /** The same of a release that was made live. */
  didRelease(what: 'deploy' | 'rollback', { changes, commit }: ReleasePlan): void {
    if (changes.length > 0) this.note({ what, result: 'ok', changes: changes.map(showChange), ...(commit ? { release: commit } : {}) });
  }

  /** The last round trip: what was done is written down, and the lease is given back. */
  async end(): Promise<void> {
    const { environment, runId } = this.#run;
    const held = await this.#lease?.catch(() => undefined);
    held?.stop();
    const last = [
      ...(this.#entries.length === 0 ? [] : [appendAudit(environment.name, this.#entries)]),
      ...(held === undefined ? [] : [releaseLease(environment.name, runId)]),
    ];
    for (const result of await this.host.run(last, 'sequence'))
      mustSucceed(result as CommandResult, 'could not record the end of the run', { instance: this.#target.guest.name });
  }

  async #take(flags: LeaseFlags, commit: string): Promise<HeldLease> {
    const lease = await takeLease(this.#run, this.host, this.#run.environment.name, flags, commit);
    const note = leaseNote(lease.answer);
    if (note !== undefined) this.note({ what: 'lease', result: 'ok', detail: note });
    return lease;
  }
}
