import type { CommandResult } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import { findInstance } from '../../engine/instance.ts';
import { TOOL } from '../../engine/version.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { type CutReport, cutSet } from '../../shared/cut-set.ts';
import { inTurn, onEvery } from '../../shared/every-host.ts';
import { isLook, placeOf } from '../../shared/instance-look.ts';
import { pruneSets } from '../../shared/prune-sets.ts';
import { betweenHosts, decideHost, ofHost } from '../../shared/restore-point.ts';
import { hostsOf, type Invocation } from '../../shared/run.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { type Decision, decide } from '../../snapshots/decide.ts';
import { type EnvironmentSet, elsewhereName, findSet } from '../../snapshots/environment-set.ts';
import { deployHistory } from '../../snapshots/history.ts';
import { shortName } from '../../snapshots/name.ts';
import { decidePruneOfAll } from '../../snapshots/prune.ts';
import { quiesced, type RunInInstances } from '../../snapshots/quiesce.ts';
import { memberName, type Volume, whereOf } from '../../snapshots/set.ts';
import { acceptNoRestorePoint } from '../../snapshots/support.ts';
import type { HostInspection } from './host-inspection.ts';
import type { RunJournal } from './run-journal.ts';

/** One host of a deploy: what was seen of it, and what is written down on it. */
export type DeployHost = { readonly inspection: HostInspection; readonly journal: RunJournal };

/** What there is to go back to. */
type RestorePoint = {
  readonly set: EnvironmentSet | undefined;
  /** What was cut, reused or not needed, and why: a sentence each. */
  readonly sentences: readonly string[];
};

type Seen = DeployHost & { readonly host: string; readonly seen: Survey };
/** A host's part that was cut just now. */
type Cut = { readonly one: Seen; readonly report: CutReport; readonly warnings: readonly string[] };

/**
 * The restore point of a deploy: decided once for the environment, cut on all its hosts under one name and id, and there before the first
 * change on any of them.
 */
export class RestorePointKeeper {
  readonly #run: Invocation;
  readonly #host: (name: string) => DeployHost;
  readonly #release: () => Promise<string>;
  #planned: Promise<RestorePoint> | undefined;
  #ensured: Promise<RestorePoint> | undefined;

  /** @param host each host of the environment, by its name there */
  constructor(run: Invocation, host: (name: string) => DeployHost, release: () => Promise<string>) {
    this.#run = run;
    this.#host = host;
    this.#release = release;
  }

  /** The step `zfs:snapshot`: cuts or reuses the set where the rules want one before the plan is known. @returns a sentence each */
  async snapshot(): Promise<readonly string[]> {
    return (await this.#plannedPoint()).sentences;
  }

  /** The step `<container>:snapshot`: proves that the container is in the deploy's set, or need not be. */
  async prove(target: PreparedContainer): Promise<string> {
    const { coverage } = await this.#host(target.host).inspection.survey();
    const own = <T extends { instance: string }>(all: readonly T[]) => all.filter(({ instance }) => instance === target.instance);
    const lines = own(coverage.without).map((one) => `NO RESTORE POINT${one.volume ? ` of ${memberName(one)}` : ''}: ${one.because}`);
    const volumes = own(coverage.volumes);
    if (volumes.length === 0) lines.push(...(lines.length > 0 ? [] : [`snapshot: skipped, ${target.instance} is absent`]));
    else lines.push(...proved(volumes, target.host, (await this.#plannedPoint()).set));
    return lines.map((line) => `${target.project}: ${line}`).join('\n');
  }

  /** Before anything of an existing container is changed on any host: a restore point newer than the last completed deploy is there. */
  async ensure(): Promise<void> {
    const planned = await this.#plannedPoint();
    if (planned.set !== undefined) return;
    this.#ensured ??= this.#point(true).then((point) => this.#told(point));
    await this.#ensured;
  }

  #told(point: RestorePoint): RestorePoint {
    const hosts = hostsOf(this.#run.targets);
    const of = hosts.length === 1 ? hosts[0] : this.#run.environment.name;
    for (const sentence of point.sentences) this.#run.progress(`${of}: ${sentence}`);
    return point;
  }

  /** Id of the set, once what is under way has come to its end; nothing where there is none. @throws what the cut has thrown */
  async current(): Promise<string | undefined> {
    return (await (this.#ensured ?? this.#planned))?.set?.id;
  }

  /** What the rules want before the plan is known. */
  #plannedPoint(): Promise<RestorePoint> {
    this.#planned ??= this.#point(false);
    return this.#planned;
  }

  async #point(beforeChange: boolean): Promise<RestorePoint> {
    const hosts = await inTurn(hostsOf(this.#run.targets), async (host): Promise<Seen> => {
      const one = this.#host(host);
      return { ...one, host, seen: await one.inspection.survey() };
    });
    const warnings = hosts.flatMap((one) => this.#warnings(one, beforeChange).map((text) => ofHost(one.host, text, hosts)));
    const decision = decide({
      release: await this.#release(),
      runId: this.#run.runId,
      hosts: hosts.map(decideHost),
      ...(beforeChange ? { anyChangePlanned: true } : {}),
    });
    if (decision.kind === 'reuse')
      return { set: decision.set, sentences: [...warnings, `reused ${shortName(decision.set.name)}: ${decision.because}`] };
    if (decision.kind !== 'cut') return { set: undefined, sentences: [...warnings, `no restore point taken: ${decision.because}`] };
    return this.#cutNow(hosts, decision, warnings);
  }

  #warnings({ host, seen }: Seen, beforeChange: boolean): string[] {
    const { environment, targets } = this.#run;
    const warning = acceptNoRestorePoint(environment, seen.coverage.without);
    const absent = targets.filter((target) => target.host === host && findInstance(seen.incus, placeOf(target)) === undefined);
    const skipped = absent.length > 0 && !beforeChange ? [`skipped ${absent.map(({ instance }) => instance).join(', ')}: absent`] : [];
    return [...(warning === undefined ? [] : [warning]), ...skipped];
  }

  async #cutNow(hosts: readonly Seen[], decision: Decision & { kind: 'cut' }, warnings: readonly string[]): Promise<RestorePoint> {
    const at = hosts.filter(({ host }) => decision.hosts.includes(host));
    const ends = await Promise.allSettled(at.map((one) => this.#cutOn(one, hosts, decision.name)));
    const cut = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    for (const end of ends) if (end.status === 'rejected') throw cutElsewhere(end.reason, cut);
    const after = hosts.map((one) => ({ ...one, points: cut.find((each) => each.one === one)?.report.points ?? one.seen.points }));
    const set = findSet(after, this.#run.runId);
    // Only a run that cut one prunes: a run that finds nothing to change deletes nothing either.
    const pruned = await this.#prune(after);
    const sentences = [
      ...cut.flatMap((each) => [...each.warnings, ...each.report.sentences].map((text) => ofHost(each.one.host, text, hosts))),
      ...betweenHosts(at.map(({ host }) => host)),
      ...this.#leftOut(),
      `because ${decision.because}`,
      ...pruned,
    ];
    return { set, sentences: [...warnings, ...sentences] };
  }

  async #cutOn(one: Seen, hosts: readonly Seen[], name: string): Promise<Cut> {
    const { environment, runId, leftOut } = this.#run;
    const { seen } = one;
    const others = hosts.filter(({ host }) => host !== one.host);
    const elsewhere = [
      ...others.flatMap(({ host, seen: { coverage } }) => coverage.volumes.map((volume) => elsewhereName(memberName(volume), host))),
      ...leftOut.map(({ instance, host }) => elsewhereName(instance, host)),
    ];
    const mark = {
      ...{ id: runId, release: await this.#release(), environment: environment.name, tool: TOOL },
      ...(elsewhere.length === 0 ? {} : { elsewhere }),
    };
    const request = { name, mark, volumes: seen.coverage.volumes, instances: seen.incus.instances };
    const { value: report, warnings } = await one.journal.startedWith(runId, (first, written) =>
      quiesced(this.#quiesceHooks(seen), this.#runInGuests(seen), environment.quiesce, async () => {
        await written;
        return cutSet(seen.host, { ...request, first });
      }),
    );
    return { one, report, warnings };
  }

  /** That the set is incomplete, where the run leaves a host out. */
  #leftOut(): string[] {
    const { leftOut } = this.#run;
    if (leftOut.length === 0) return [];
    const names = leftOut.map(({ instance, host }) => `${instance} on host ${host}`);
    return [`incomplete: it has no part of ${names.join(', ')}, which --without leaves out`];
  }

  #quiesceHooks(seen: Survey) {
    return [...seen.instances].flatMap(([instance, look]) => {
      const quiesce = this.#run.targets.find((target) => target.instance === instance)?.service.quiesce;
      if (quiesce === undefined || !isLook(look)) return [];
      return [{ instance, before: quiesce.before(look.desired), after: quiesce.after?.(look.desired) ?? [], timeoutMs: quiesce.timeoutMs }];
    });
  }

  #runInGuests({ host }: Survey): RunInInstances {
    return async (parts) => {
      const { project } = this.#run.environment.incus;
      const results = await host.run(
        parts.map(({ instance, commands }) => INSTANCES.bundleInside({ instance, project }, commands, 'sequence')),
      );
      return parts.map(({ instance, commands }, i) => {
        try {
          return INSTANCES.unbundleInside({ instance, project }, results[i] as CommandResult, commands);
        } catch (error) {
          return error as Error;
        }
      });
    };
  }

  /** Decides once for all hosts what goes, and has it destroyed on each. @returns a sentence for each that went or could not */
  async #prune(hosts: readonly (Seen & Pick<CutReport, 'points'>)[]): Promise<string[]> {
    const { environment, runId } = this.#run;
    const all = hosts.map(({ host, points, seen }) => ({ host, points, history: deployHistory(seen.audit) }));
    const decided = decidePruneOfAll(all, { retention: environment.retention, runId, current: runId });
    const told = await onEvery(hosts, async ({ host, seen }) => {
      const decisions = decided.find((one) => one.host === host)?.decisions ?? [];
      const report = await pruneSets(seen.host, decisions);
      return [
        ...report.destroyed.map((set) => `pruned ${shortName(set.name)}`),
        ...report.stuck.map(({ where, because }) => `could not prune ${where}, it stays: ${because}`),
      ].map((text) => ofHost(host, text, hosts));
    });
    return told.flat();
  }
}

/** The error for a cut that failed on one host, with the hosts that have their part: nothing is changed on any of them. */
function cutElsewhere(reason: unknown, cut: readonly Cut[]): unknown {
  if (!(reason instanceof MooringError) || cut.length === 0) return reason;
  const hosts = cut.map(({ one }) => one.host).join(', ');
  const part = `the part on ${hosts} is cut and stays, as one of an incomplete restore point`;
  reason.detail.next = [reason.detail.next, part].filter(Boolean).join('; ');
  return reason;
}

/** That each volume of a container is in a set, a line each. @throws MooringError when one is not */
function proved(volumes: readonly Volume[], host: string, set: EnvironmentSet | undefined): string[] {
  if (set === undefined) return ['snapshot: none needed before a change'];
  const members = set.parts.filter((part) => part.host === host).flatMap((part) => part.set.members);
  return volumes.map((volume) => {
    const member = members.find((one) => memberName(one) === memberName(volume));
    if (member === undefined)
      throw new MooringError(`${shortName(set.name)} has no snapshot of ${memberName(volume)}`, {
        instance: volume.instance,
        step: 'snapshot',
        next: 'run the same command again: it cuts a new one',
      });
    return `snapshot: ${whereOf(member)}`;
  });
}
