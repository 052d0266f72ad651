import { appendAudit, type NewAuditEntry } from '../../audit/audit.ts';
import type { Command } from '../../engine/command.ts';
import { commandFailed, mustSucceed } from '../../engine/errors.ts';
import { TOOL } from '../../engine/version.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { placeOf } from '../../shared/instance-look.ts';
import type { LeaseKeeper } from '../../shared/lease-keeper.ts';
import type { Invocation } from '../../shared/run.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import type { DeployEntry } from '../../snapshots/history.ts';
import { writeMarker } from './finish-run.ts';
import type { HostInspection, Place } from './host-inspection.ts';

/** How a process of a run has ended. */
export type Ending = {
  readonly success: boolean;
  /** Whether this process performs the whole run; else the hook after the last task writes its end. */
  readonly whole: boolean;
  /** Whether it configures anything; a run that does not is no deploy that has completed, however well it ended. */
  readonly deploys: boolean;
  /** Where the environment's containers are, as far as this process has seen. */
  readonly places: readonly Place[];
  /** Id of the restore point; nothing where there is none. */
  readonly set: string | undefined;
};

/** What a deploy writes down on one of its hosts: that it has begun to change things, the release of what it completed, and how it ended. */
export class RunJournal {
  readonly #run: Invocation;
  readonly #inspection: HostInspection;
  readonly #release: () => Promise<string>;
  readonly #marks: Command[] = [];
  /** That "deploy started" stands in the audit log. */
  #started: Promise<void> | undefined;

  constructor(run: Invocation, inspection: HostInspection, release: () => Promise<string>) {
    this.#run = run;
    this.#inspection = inspection;
    this.#release = release;
  }

  /** Writes down, once, that the deploy has begun to change things: a killed run leaves that without an end. */
  async started(set: string | undefined): Promise<void> {
    this.#started ??= this.#writeStarted(set);
    await this.#started;
  }

  /**
   * The same with the first round trip of some work, which makes a restore point.
   *
   * @param work is given what must be written before anything else, unless it is written already
   */
  async startedWith<T>(set: string, work: (first: readonly Command[], written: Promise<void> | undefined) => Promise<T>): Promise<T> {
    const entry = await this.#deployEntry('started', set);
    const written = this.#started;
    const working = work(written === undefined ? [entry] : [], written);
    this.#started ??= working.then(() => {});
    // A failure is told by what is returned; here nobody may be waiting for it.
    this.#started.catch(() => {});
    return working;
  }

  /** The deploy of this release has completed on the container: its mark is written with the last round trip, unless it is there. */
  async markRelease(target: PreparedContainer): Promise<void> {
    const release = await this.#release();
    if ((await this.#inspection.completedRelease(target)) === release) return;
    this.#marks.push(INSTANCES.markDeployed(placeOf(target), release, TOOL));
  }

  /** The last round trip: releases are marked, the audit log gets its entries, and the lease is given back. */
  async end(entries: readonly NewAuditEntry[], ending: Ending): Promise<void> {
    const { lease, name } = this.#inspection;
    if (lease === undefined) return;
    lease.stop();
    // Where nothing could be looked at, nothing was done, and the lease is given back already.
    const seen = await this.#inspection.surveyed();
    if (seen === undefined) return;
    const { success, whole, deploys, set } = ending;
    const places = this.#newPlaces(seen, ending.places);
    const last: Command[] = [...this.#marks];
    const all = [...this.#leaseNote(lease), ...entries, ...places];
    if (all.length > 0) last.push(appendAudit(this.#run.environment.name, all));
    if (whole && (deploys || !success)) last.push(await this.#deployEntry(success ? 'ok' : 'failed', set));
    if (whole) last.push(lease.release());
    else await writeMarker(this.#run, { release: await this.#release(), set, deploys, places });
    const results = await seen.host.run(last, 'sequence');
    const failed = results.find(({ code }) => code !== 0);
    if (failed === undefined) return;
    // The next run must not wait for what this one could not write.
    if (whole) await lease.giveBack();
    throw commandFailed(failed, 'could not record the end of the run', { host: name });
  }

  #leaseNote({ note }: LeaseKeeper): NewAuditEntry[] {
    if (note === undefined) return [];
    return [{ run: this.#run.runId, who: this.#run.who, what: 'lease', result: 'ok', detail: note }];
  }

  /** The places that this host's log does not know yet: every host's log knows where all of the environment's containers are. */
  #newPlaces({ audit }: Survey, places: readonly Place[]): NewAuditEntry[] {
    const { runId, who } = this.#run;
    return places
      .filter(({ project, container, host }) => {
        const last = audit.findLast((entry) => entry.what === 'place' && entry.container === container);
        return last?.host !== host || last.project !== project;
      })
      .map((place) => ({ run: runId, who, what: 'place', ...place, result: 'ok' }));
  }

  async #writeStarted(set: string | undefined): Promise<void> {
    const { host } = await this.#inspection.survey();
    for (const result of await host.run([await this.#deployEntry('started', set)]))
      mustSucceed(result, 'that the deploy has started could not be written into the audit log', {
        host: this.#inspection.name,
        page: 'lease',
      });
  }

  async #deployEntry(result: DeployEntry['result'], set: string | undefined): Promise<Command> {
    const entry = {
      run: this.#run.runId,
      who: this.#run.who,
      release: await this.#release(),
      what: 'deploy',
      result,
      ...(set === undefined ? {} : { set }),
      ...(this.#run.without.length > 0 ? { without: [...this.#run.without] } : {}),
    } as const;
    return appendAudit(this.#run.environment.name, [entry]);
  }
}
