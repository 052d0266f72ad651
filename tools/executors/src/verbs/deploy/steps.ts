import type { NewAuditEntry } from '../../audit/audit.ts';
import type { Change } from '../../engine/change.ts';
import { explainedBy, MooringError, ProblemsError } from '../../engine/errors.ts';
import type { Page } from '../../engine/pages.ts';
import { showChange, showCount } from '../../engine/show-change.ts';
import { inTurn, onEvery } from '../../shared/every-host.ts';
import { isLook } from '../../shared/guest-look.ts';
import { leavingChanges, refuseLeaving } from '../../shared/leave-behind.ts';
import { offeringWithout, showLeftOut } from '../../shared/left-out.ts';
import { planContainer } from '../../shared/plan-container.ts';
import { applyProvision, type ProvisionFlags, planProvision } from '../../shared/provision.ts';
import { currentRelease } from '../../shared/release.ts';
import { foreseeRestorePoint } from '../../shared/restore-point.ts';
import { hostsOf, type Run } from '../../shared/run.ts';
import { showContainerPlan } from '../../shared/show-plan.ts';
import type { Survey } from '../../shared/survey.ts';
import type { Target } from '../../shared/target.ts';
import { showHealth } from '../../shared/verified.ts';
import { refuse } from '../../workspace/problems.ts';
import { configureContainer } from './configure.ts';
import { unreached } from './fetches.ts';
import { HostDeploy } from './host-deploy.ts';
import type { DataRequest, DataTask } from './options.ts';
import { artifactProblems, hostProblems } from './preflight.ts';

/** What was done to one container. */
type Done = {
  readonly instance: string;
  readonly host: string;
  readonly what: 'provision' | 'configure';
  readonly changes: readonly Change[];
};

/** The pages that explain what goes wrong in a container's steps. */
const PAGE_OF: Readonly<Record<DataTask['step'], Page>> = {
  preflight: 'containers',
  snapshot: 'restorePoints',
  provision: 'containers',
  configure: 'services',
};

/**
 * One deploy, or the part of it that runs in this process. Its steps may be called in any order that respects the task
 * graph, and at the same time; what they need in common is looked up once.
 */
export class Deploy {
  readonly #run: Run;
  readonly #request: DataRequest;
  readonly #flags: ProvisionFlags;
  readonly #hosts = new Map<string, HostDeploy>();
  readonly #done: Done[] = [];
  readonly #notes: string[] = [];
  /** `--dry-run`: everything is looked at and planned, nothing is changed, and no lease is taken. */
  readonly #dryRun: boolean;
  #release: Promise<string> | undefined;

  constructor(run: Run, request: DataRequest) {
    this.#run = run;
    this.#request = request;
    const { create, adopt, newHost, timeout, dryRun } = request.options;
    this.#dryRun = dryRun;
    const instance = (name: string) => run.targets.find(({ project }) => project === name)?.instance ?? name;
    const startSeconds = Math.ceil((timeout ?? 120_000) / 1000);
    this.#flags = { create: create.map(instance), adopt: adopt.map(instance), newHosts: newHost, startSeconds };
  }

  /** Something for the audit log. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Performs one task. @returns what to tell the user @throws MooringError with where it happened */
  async step(task: DataTask): Promise<string> {
    if (task.project === this.#run.workspace.storage.project) {
      return (task.step === 'preflight' ? this.#preflight() : this.#snapshotAll()).catch(explainedBy(PAGE_OF[task.step]));
    }
    const target = this.#run.targets.find(({ project }) => project === task.project);
    if (target === undefined) return `${task.project}: not part of ${this.#run.environment.name}`;
    try {
      return await this.#stepOf(target, task.step);
    } catch (error) {
      throw error instanceof MooringError
        ? error.with({ host: target.host, instance: target.instance, step: task.step, page: PAGE_OF[task.step] })
        : error;
    }
  }

  #stepOf(target: Target, step: DataTask['step']): Promise<string> {
    const host = this.#host(target.host);
    if (step === 'snapshot') return this.#dryRun ? Promise.resolve('') : host.proveSnapshot(target);
    if (this.#dryRun) return this.#foresee(target, host, step);
    return step === 'provision' ? this.#provision(target, host) : this.#configure(target, host);
  }

  /** `--dry-run`: what the step would change. */
  async #foresee(target: Target, host: HostDeploy, step: DataTask['step']): Promise<string> {
    if (step === 'provision') return '';
    return showContainerPlan(planContainer(target, await host.survey(), this.#flags, this.#run.leaveBehind)).join('\n');
  }

  async #preflight(): Promise<string> {
    for (const warning of this.#run.warnings) this.#run.progress(warning);
    const concerned = this.#run.targets.filter(({ project }) => this.#request.projects.includes(project));
    const problems: MooringError[] = [];
    const collect = async <T>(work: Promise<T>): Promise<T | undefined> =>
      work.catch((error: unknown) => {
        if (!(error instanceof MooringError)) throw error;
        problems.push(...(error instanceof ProblemsError ? error.problems : [error]));
        return undefined;
      });
    const look = async (name: string): Promise<string[]> => {
      const survey = await collect(
        this.#host(name)
          .survey()
          .catch((error: unknown) => {
            const { targets, without } = this.#run;
            throw offeringWithout(error, name, targets, { without, projects: this.#request.projects });
          }),
      );
      const here = this.#run.targets.filter(({ host }) => host === name);
      const concernedHere = concerned.filter(({ host }) => host === name);
      problems.push(...(await artifactProblems(this.#run, concernedHere, survey)));
      if (survey === undefined) return [];
      const before = problems.length;
      problems.push(...hostProblems(this.#run, name, here, concernedHere, survey, this.#flags));
      if (!this.#dryRun) for (const target of concernedHere) await collect(this.#refuseLeaving(target, survey));
      const network = problems.length > before ? undefined : await collect(unreached(this.#run, concernedHere, survey));
      problems.push(...(network?.problems ?? []));
      const pools = [...survey.spaces].map(([pool, { used, total }]) => `pool ${pool} ${Math.round((100 * used) / total)} % used`);
      return [
        `${name}: Incus ${survey.incus.version}, ${[...pools, `${here.length} containers`].join(', ')}`,
        ...(network?.warnings ?? []),
      ];
    };
    const [lines] = await Promise.all([inTurn(hostsOf(this.#run.targets), look), collect(this.release())]);
    refuse(problems, 'nothing was touched');
    return lines
      .flat()
      .map((line) => `preflight: ${line}`)
      .join('\n');
  }

  /** What `--leave-behind` does not name is refused before anything is touched. */
  async #refuseLeaving({ project, service, instance, host }: Target, survey: Survey): Promise<void> {
    const look = survey.guests.get(instance);
    if (!isLook(look)) return;
    try {
      refuseLeaving(project, leavingChanges(service, look.desired, look.answers), this.#run.leaveBehind);
    } catch (error) {
      throw error instanceof MooringError ? error.with({ host, instance }) : error;
    }
  }

  async #snapshotAll(): Promise<string> {
    const hosts = hostsOf(this.#run.targets).map((name) => this.#host(name));
    if (this.#dryRun) {
      const release = await this.release();
      const points = await Promise.all(hosts.map(async (host) => foreseeRestorePoint(this.#run, await host.survey(), release, true)));
      return points
        .flat()
        .map((line) => `snapshot: ${line}`)
        .join('\n');
    }
    const reports = await Promise.all(hosts.map((host) => host.snapshot()));
    return reports
      .flat()
      .map((line) => `snapshot: ${line}`)
      .join('\n');
  }

  async #provision(target: Target, host: HostDeploy): Promise<string> {
    const survey = await host.survey();
    const changes = planProvision(target, survey, this.#flags);
    if (changes.length === 0) return `${target.project}: provision: no changes: ${target.instance} is there and runs`;
    if (!changes.some(({ action }) => action === 'create')) await host.ensureRestorePoint();
    await host.started();
    await applyProvision(this.#run, target, survey, changes);
    host.provisioned(target);
    this.#done.push({ instance: target.instance, host: target.host, what: 'provision', changes });
    return `${target.project}: provision: ${showCount(changes)}`;
  }

  async #configure(target: Target, host: HostDeploy): Promise<string> {
    const look = await host.look(target);
    const open = (await host.survey()).host;
    const { changes, health } = await configureContainer(this.#run, open, target, look, {
      firstChange: async () => {
        await host.ensureRestorePointOf(target);
        await host.started();
      },
      deployed: await host.hasCompleted(target),
    });
    await host.markRelease(target);
    this.#done.push({ instance: target.instance, host: target.host, what: 'configure', changes });
    const what = changes.length === 0 ? 'no changes: everything is as the settings say' : showCount(changes);
    return `${target.project}: configure: ${what}; ${target.service.name} ${health.version} ${showHealth(health, look.address)}`;
  }

  /** The release of this run; see `--release`. */
  release(): Promise<string> {
    const { release, allowDirty } = this.#request.options;
    this.#release ??= currentRelease(this.#run, release, allowDirty);
    return this.#release;
  }

  /**
   * Writes down how the run ended and gives the leases back; one round trip a host.
   *
   * @returns a summary for the user
   */
  async end(success: boolean): Promise<string> {
    const whole = this.#request.tasks.length > 1;
    const opened = [...this.#hosts.values()];
    // A restore point alone, or a container that was only created, is no deploy that has completed.
    const deploys = this.#request.tasks.some(({ step }) => step === 'configure');
    const places = (await Promise.all(opened.map((host) => host.places()))).flat();
    await onEvery(opened, async (host) => host.end(await this.#entries(host, success), { success, whole, deploys, places }));
    const changes = this.#done.flatMap((one) => one.changes);
    const trips = (await Promise.all(opened.map((host) => host.roundTrips()))).reduce((all, one) => all + one, 0);
    const summary = this.#dryRun ? 'dry run, nothing was changed' : `${success ? '' : 'FAILED; '}${showCount(changes)}`;
    return [`${this.#run.environment.name}: ${summary}; ${trips} round trips`, ...showLeftOut(this.#run)].join('\n');
  }

  /** What the audit log is told: what was done to each container, and what failed. */
  async #entries(host: HostDeploy, success: boolean): Promise<NewAuditEntry[]> {
    const common = { run: this.#run.runId, who: this.#run.who, release: await this.release() };
    const done = this.#done
      .filter((one) => one.host === host.name && one.changes.length > 0)
      .map(({ instance, what, changes }) => ({
        ...common,
        what,
        container: instance,
        result: 'ok' as const,
        changes: changes.map((change) => this.#run.clean.text(showChange(change))),
      }));
    const notes = success
      ? []
      : this.#notes.map((detail) => ({
          ...common,
          what: 'failure' as const,
          result: 'failed' as const,
          detail: this.#run.clean.text(detail),
        }));
    return [...done, ...notes];
  }

  #host(name: string): HostDeploy {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const configured = new Set(this.#request.tasks.filter(({ step }) => step === 'configure').map(({ project }) => project));
    const made = new HostDeploy(this.#run, name, {
      release: () => this.release(),
      look: this.#run.targets.filter(({ host, project }) => host === name && configured.has(project)),
      purpose: this.#dryRun ? 'read' : 'change',
      lease: !this.#dryRun && this.#request.tasks.some(({ step }) => step !== 'preflight') ? this.#request.options : undefined,
    });
    this.#hosts.set(name, made);
    return made;
  }
}
