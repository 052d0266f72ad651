import { appendAudit, type NewAuditEntry } from '../../audit/audit.ts';
import type { Command, CommandResult } from '../../engine/command.ts';
import { commandFailed, MooringError, mustSucceed } from '../../engine/errors.ts';
import { findInstance } from '../../engine/instance.ts';
import { TOOL } from '../../engine/version.ts';
import { guestBundle, unbundleGuest } from '../../platforms/incus/inside.ts';
import { mark, markDeployed, ownership } from '../../platforms/incus/marks.ts';
import { clientNetworks } from '../../platforms/incus/networks.ts';
import { cutSet } from '../../shared/cut-set.ts';
import type { Purpose } from '../../shared/format.ts';
import { type GuestLook, isLook, lookAgain, placeOf } from '../../shared/guest-look.ts';
import { type LeaseFlags, LeaseKeeper } from '../../shared/lease-keeper.ts';
import { pruneSets } from '../../shared/prune-sets.ts';
import type { Run } from '../../shared/run.ts';
import { type Survey, survey } from '../../shared/survey.ts';
import type { Target } from '../../shared/target.ts';
import { namesOf } from '../../shared/volumes.ts';
import { type Decision, decide } from '../../snapshots/decide.ts';
import { type DeployEntry, deployHistory } from '../../snapshots/history.ts';
import { shortName } from '../../snapshots/name.ts';
import { decidePrune } from '../../snapshots/prune.ts';
import { quiesced, type RunInGuests } from '../../snapshots/quiesce.ts';
import { memberName, type RestorePoints, type SnapshotSet, type Volume, whereOf } from '../../snapshots/set.ts';
import { acceptNoRestorePoint } from '../../snapshots/support.ts';
import { writeMarker } from './finish-run.ts';

export type HostDeployOptions = {
  release(): Promise<string>;
  /** Containers whose facts are gathered at once. */
  readonly look: readonly Target[];
  /** Flags of the lease; nothing when this process changes nothing. */
  readonly lease: LeaseFlags | undefined;
  /** A preflight is for a change, also where it is all that this process does. */
  readonly purpose: Purpose;
};

/** A container of the environment, and the host where it is. */
export type Place = { readonly project: string; readonly container: string; readonly host: string };

/** What there is to go back to, on one host. */
export type RestorePoint = {
  readonly set: SnapshotSet | undefined;
  /** What was cut, reused or not needed, and why: a sentence each. */
  readonly sentences: readonly string[];
};

/** One deploy as seen from one of its hosts: what was looked at, the lease, the restore point. Each is had once. */
export class HostDeploy {
  readonly #run: Run;
  /** As the environment names it. */
  readonly name: string;
  readonly #options: HostDeployOptions;
  readonly #provisioned = new Set<string>();
  #lease: LeaseKeeper | undefined;
  #survey: Promise<Survey> | undefined;
  #planned: Promise<RestorePoint> | undefined;
  #ensured: Promise<RestorePoint> | undefined;
  #points: RestorePoints | undefined;
  readonly #marks: Command[] = [];
  /** That "deploy started" stands in the audit log. */
  #started: Promise<void> | undefined;

  constructor(run: Run, name: string, options: HostDeployOptions) {
    this.#run = run;
    this.name = name;
    this.#options = options;
  }

  /** What is there; looked at once, under the lease where this process needs one. */
  survey(): Promise<Survey> {
    this.#survey ??= this.#look();
    return this.#survey;
  }

  /** One container as it is now: from the survey, or anew if it has been provisioned since. */
  async look(target: Target): Promise<GuestLook> {
    const { host, guests, incus } = await this.survey();
    const known = guests.get(target.instance);
    if (known instanceof MooringError) throw known;
    if (isLook(known) && !this.#provisioned.has(target.instance)) return known;
    return lookAgain(host, target, clientNetworks(incus, this.#run.environment));
  }

  /** The container was created, started or changed: what the survey knows of it is old. */
  provisioned(target: Target): void {
    this.#provisioned.add(target.instance);
  }

  /** The step `zfs:snapshot`: cuts or reuses the set where the rules want one before the plan is known. */
  async snapshot(): Promise<readonly string[]> {
    return (await this.#plannedPoint()).sentences;
  }

  /** The step `<container>:snapshot`: proves that the container is in the deploy's set, or need not be. */
  async proveSnapshot(target: Target): Promise<string> {
    const { coverage } = await this.survey();
    const own = <T extends { instance: string }>(all: readonly T[]) => all.filter(({ instance }) => instance === target.instance);
    const lines = own(coverage.without).map((one) => `NO RESTORE POINT${one.volume ? ` of ${memberName(one)}` : ''}: ${one.because}`);
    const volumes = own(coverage.volumes);
    if (volumes.length === 0) lines.push(...(lines.length > 0 ? [] : [`snapshot: skipped, ${target.instance} is absent`]));
    else lines.push(...proved(volumes, (await this.#plannedPoint()).set));
    return lines.map((line) => `${target.project}: ${line}`).join('\n');
  }

  /** Before anything of an existing container is changed: a restore point newer than the last completed deploy is there. */
  async ensureRestorePoint(): Promise<void> {
    const planned = await this.#plannedPoint();
    if (planned.set !== undefined) return;
    this.#ensured ??= this.#point(true);
    for (const sentence of (await this.#ensured).sentences) this.#run.progress(`${this.name}: ${sentence}`);
  }

  /** As {@link ensureRestorePoint}, if the container was there when the deploy began: one that was just made has nothing to lose. */
  async ensureRestorePointOf(target: Target): Promise<void> {
    const { incus } = await this.survey();
    if (findInstance(incus, placeOf(target)) !== undefined) await this.ensureRestorePoint();
  }

  /** Writes down, once, that the deploy has begun to change things: a killed run leaves that without an end. */
  async started(): Promise<void> {
    // A cut that is under way writes it itself.
    const point = await (this.#ensured ?? this.#planned);
    this.#started ??= this.#writeStarted(point?.set);
    await this.#started;
  }

  /** Whether a deploy of some release has completed on the container before. */
  async hasCompleted(target: Target): Promise<boolean> {
    const { incus } = await this.survey();
    return findInstance(incus, placeOf(target))?.config[mark.release] !== undefined;
  }

  /** The deploy of this release has completed on the container: its mark is written with the last round trip, unless it is there. */
  async markRelease(target: Target): Promise<void> {
    const { incus } = await this.survey();
    const release = await this.#options.release();
    if (findInstance(incus, placeOf(target))?.config[mark.release] === release) return;
    this.#marks.push(markDeployed(placeOf(target), release, TOOL));
  }

  /**
   * The last round trip: releases are marked, the audit log gets its entries, and the lease is given back.
   *
   * @param how `whole`: whether this process performs the whole run; else the hook after the last task writes its end.
   *   `deploys`: whether it configures anything; a run that does not is no deploy that has completed, however well it ended.
   *   `places`: where the environment's containers are, as far as this process has seen
   */
  async end(
    entries: readonly NewAuditEntry[],
    how: { success: boolean; whole: boolean; deploys: boolean; places: readonly Place[] },
  ): Promise<void> {
    if (this.#lease === undefined) return;
    this.#lease.stop();
    // Where nothing could be looked at, nothing was done, and the lease is given back already.
    const host = await this.survey().then(
      (seen) => seen.host,
      () => undefined,
    );
    if (host === undefined) return;
    const point = await (this.#ensured ?? this.#planned)?.catch(() => undefined);
    const { note } = this.#lease;
    const lease =
      note === undefined ? [] : [{ run: this.#run.runId, who: this.#run.who, what: 'lease', result: 'ok', detail: note } as const];
    const last: Command[] = [...this.#marks];
    const places = this.#newPlaces(await this.survey(), how.places);
    const all = [...lease, ...entries, ...places];
    if (all.length > 0) last.push(appendAudit(this.#run.environment.name, all));
    const { success, whole, deploys } = how;
    if (whole && (deploys || !success)) last.push(await this.#deployEntry(success ? 'ok' : 'failed', point?.set));
    if (whole) last.push(this.#lease.release());
    else await writeMarker(this.#run, { release: await this.#options.release(), set: point?.set?.id, deploys, places });
    const results = await host.run(last, 'sequence');
    const failed = results.find(({ code }) => code !== 0);
    if (failed === undefined) return;
    // The next run must not wait for what this one could not write.
    if (whole) await this.#lease.giveBack();
    throw commandFailed(failed, 'could not record the end of the run', { host: this.name });
  }

  /** Which of its containers are here, now: those that it found to be ours, and those that it has provisioned. */
  async places(): Promise<Place[]> {
    const incus = await this.#survey?.then(
      (seen) => seen.incus,
      () => undefined,
    );
    if (incus === undefined) return [];
    const here = this.#run.targets.filter((target) => {
      const instance = findInstance(incus, placeOf(target));
      const ours = instance !== undefined && ownership(instance, this.#run.environment.name).ours;
      return target.host === this.name && (ours || this.#provisioned.has(target.instance));
    });
    return here.map(({ project, instance, host }) => ({ project, container: instance, host }));
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

  /** Calls of this host so far; none when it was not reached. */
  async roundTrips(): Promise<number> {
    if (this.#survey === undefined) return 0;
    return this.#run.host(this.name).then(
      ({ roundTrips }) => roundTrips,
      () => 0,
    );
  }

  async #look(): Promise<Survey> {
    const { look, purpose } = this.#options;
    if (this.#options.lease === undefined) return survey(this.#run, this.name, look, undefined, purpose);
    this.#lease = new LeaseKeeper(this.#run, await this.#run.host(this.name), this.#options.lease, await this.#options.release());
    return this.#lease.hold((opening) => survey(this.#run, this.name, look, opening, purpose));
  }

  /** What the rules want before the plan is known. */
  #plannedPoint(): Promise<RestorePoint> {
    this.#planned ??= this.#point(false);
    return this.#planned;
  }

  async #point(beforeChange: boolean): Promise<RestorePoint> {
    const seen = await this.survey();
    const { environment, runId, targets } = this.#run;
    const warning = acceptNoRestorePoint(environment, seen.coverage.without);
    const warnings = warning === undefined ? [] : [warning];
    const absent = targets.filter((target) => target.host === this.name && findInstance(seen.incus, placeOf(target)) === undefined);
    if (absent.length > 0 && !beforeChange) warnings.push(`skipped ${absent.map(({ instance }) => instance).join(', ')}: absent`);
    const decision = decide({
      release: await this.#options.release(),
      runId,
      points: this.#points ?? seen.points,
      history: deployHistory(seen.audit),
      existing: namesOf(seen.coverage),
      ...(beforeChange ? { anyChangePlanned: true } : {}),
    });
    if (decision.kind === 'reuse')
      return { set: decision.set, sentences: [...warnings, `reused ${shortName(decision.set.name)}: ${decision.because}`] };
    if (decision.kind !== 'cut') return { set: undefined, sentences: [...warnings, `none cut: ${decision.because}`] };
    return this.#cutNow(seen, decision, warnings);
  }

  async #cutNow(seen: Survey, decision: Decision & { kind: 'cut' }, warnings: readonly string[]): Promise<RestorePoint> {
    const { environment, runId } = this.#run;
    const entry = await this.#deployEntry('started', { id: runId });
    const mark = { id: runId, release: await this.#options.release(), environment: environment.name, tool: TOOL };
    const request = {
      name: decision.name,
      mark,
      volumes: seen.coverage.volumes,
      instances: seen.incus.instances,
      first: this.#started === undefined ? [entry] : [],
    };
    const written = this.#started;
    const cutting = quiesced(this.#quiesceHooks(seen), this.#runInGuests(seen), environment.quiesce, async () => {
      await written;
      return cutSet(seen.host, request);
    });
    this.#started ??= cutting.then(() => {});
    // A cut that failed is told below; here nobody may be waiting for it.
    this.#started.catch(() => {});
    const { value, warnings: quiesceWarnings } = await cutting;
    this.#points = value.points;
    // Only a run that cut one prunes: a run that finds nothing to change deletes nothing either.
    const pruned = await this.#prune(value.set);
    return { set: value.set, sentences: [...warnings, ...quiesceWarnings, ...value.sentences, `because ${decision.because}`, ...pruned] };
  }

  #quiesceHooks(seen: Survey) {
    return [...seen.guests].flatMap(([instance, look]) => {
      const quiesce = this.#run.targets.find((target) => target.instance === instance)?.service.quiesce;
      if (quiesce === undefined || !isLook(look)) return [];
      return [{ instance, before: quiesce.before(look.desired), after: quiesce.after?.(look.desired) ?? [], timeoutMs: quiesce.timeoutMs }];
    });
  }

  #runInGuests({ host }: Survey): RunInGuests {
    return async (parts) => {
      const { project } = this.#run.environment.incus;
      const results = await host.run(parts.map(({ instance, commands }) => guestBundle({ instance, project }, commands, 'sequence')));
      return parts.map(({ instance, commands }, i) => {
        try {
          return unbundleGuest({ instance, project }, results[i] as CommandResult, commands);
        } catch (error) {
          return error as Error;
        }
      });
    };
  }

  async #prune(current: SnapshotSet): Promise<string[]> {
    const { host, audit, points } = await this.survey();
    const { sets, strays } = this.#points ?? points;
    const { environment, runId } = this.#run;
    const decisions = decidePrune({
      sets,
      history: deployHistory(audit),
      retention: environment.retention,
      runId,
      current: current.id,
    });
    const report = await pruneSets(host, decisions, strays);
    return [
      ...report.destroyed.map((set) => `pruned ${shortName(set.name)}`),
      ...report.stuck.map(({ where, because }) => `could not prune ${where}, it stays: ${because}`),
    ];
  }

  async #writeStarted(set: { id: string } | undefined): Promise<void> {
    const { host } = await this.survey();
    for (const result of await host.run([await this.#deployEntry('started', set)]))
      mustSucceed(result, 'that the deploy has started could not be written into the audit log', { host: this.name, page: 'lease' });
  }

  async #deployEntry(result: DeployEntry['result'], set: { id: string } | undefined): Promise<Command> {
    const entry = {
      run: this.#run.runId,
      who: this.#run.who,
      release: await this.#options.release(),
      what: 'deploy',
      result,
      ...(set ? { set: set.id } : {}),
      ...(this.#run.without.length > 0 ? { without: [...this.#run.without] } : {}),
    } as const;
    return appendAudit(this.#run.environment.name, [entry]);
  }
}

/** That each volume of a container is in a set, a line each. @throws MooringError when one is not */
function proved(volumes: readonly Volume[], set: SnapshotSet | undefined): string[] {
  if (set === undefined) return ['snapshot: none needed before a change'];
  return volumes.map((volume) => {
    const member = set.members.find((one) => memberName(one) === memberName(volume));
    if (member === undefined)
      throw new MooringError(`${shortName(set.name)} has no snapshot of ${memberName(volume)}`, {
        instance: volume.instance,
        step: 'snapshot',
        next: 'run the same command again: it cuts a new one',
      });
    return `snapshot: ${whereOf(member)}`;
  });
}
