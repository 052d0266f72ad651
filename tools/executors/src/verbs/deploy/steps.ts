import type { NewAuditEntry } from '../../audit/audit.ts';
import type { Change } from '../../engine/change.ts';
import { explainedBy, MooringError } from '../../engine/errors.ts';
import type { Page } from '../../engine/pages.ts';
import { showChange, showCount } from '../../engine/show-change.ts';
import { inTurn, onEvery } from '../../shared/every-host.ts';
import { showLeftOut } from '../../shared/left-out.ts';
import { planContainer } from '../../shared/plan-container.ts';
import { applyProvision, type ProvisionFlags, planProvision } from '../../shared/provision.ts';
import { currentRelease } from '../../shared/release.ts';
import { foreseeRestorePoint } from '../../shared/restore-point.ts';
import { hostsOf, type Invocation } from '../../shared/run.ts';
import { showContainerPlan } from '../../shared/show-plan.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { showHealth } from '../../shared/verified.ts';
import { configureContainer } from './configure.ts';
import { HostInspection } from './host-inspection.ts';
import type { DataRequest, DataTask } from './options.ts';
import { preflight } from './preflight-step.ts';
import { type DeployHost, RestorePointKeeper } from './restore-point-keeper.ts';
import { RunJournal } from './run-journal.ts';

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
  readonly #run: Invocation;
  readonly #request: DataRequest;
  readonly #flags: ProvisionFlags;
  readonly #hosts = new Map<string, DeployHost>();
  readonly #point: RestorePointKeeper;
  readonly #done: Done[] = [];
  readonly #notes: string[] = [];
  /** `--dry-run`: everything is looked at and planned, nothing is changed, and no lease is taken. */
  readonly #dryRun: boolean;
  #release: Promise<string> | undefined;

  constructor(run: Invocation, request: DataRequest) {
    this.#run = run;
    this.#request = request;
    const { create, adopt, newHost, timeout, dryRun } = request.options;
    this.#dryRun = dryRun;
    this.#point = new RestorePointKeeper(
      run,
      (name) => this.#host(name),
      () => this.release(),
    );
    const instance = (name: string) => run.targets.find(({ project }) => project === name)?.instance ?? name;
    const startSeconds = Math.ceil((timeout ?? 120_000) / 1000);
    this.#flags = { create: create.map(instance), adopt: adopt.map(instance), newHosts: newHost, startSeconds, random: run.world.random };
  }

  /** Something for the audit log. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Performs one task. @returns what to tell the user @throws MooringError with where it happened */
  async step(task: DataTask): Promise<string> {
    if (task.project === this.#run.workspace.storage.project) {
      return (task.step === 'preflight' ? this.#preflight() : this.#snapshot()).catch(explainedBy(PAGE_OF[task.step]));
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

  #stepOf(target: PreparedContainer, step: DataTask['step']): Promise<string> {
    const host = this.#host(target.host);
    if (step === 'snapshot') return this.#dryRun ? Promise.resolve('') : this.#point.prove(target);
    if (this.#dryRun) return this.#foresee(target, host, step);
    return step === 'provision' ? this.#provision(target, host) : this.#configure(target, host);
  }

  /** `--dry-run`: what the step would change. */
  async #foresee(target: PreparedContainer, { inspection }: DeployHost, step: DataTask['step']): Promise<string> {
    if (step === 'provision') return '';
    return showContainerPlan(planContainer(target, await inspection.survey(), this.#flags, this.#run.leaveBehind)).join('\n');
  }

  #preflight(): Promise<string> {
    const survey = (name: string) => this.#host(name).inspection.survey();
    return preflight({ run: this.#run, request: this.#request, flags: this.#flags, survey, release: () => this.release() });
  }

  async #snapshot(): Promise<string> {
    const sentences = this.#dryRun ? await this.#foreseePoint() : await this.#point.snapshot();
    return sentences.map((line) => `snapshot: ${line}`).join('\n');
  }

  async #foreseePoint(): Promise<string[]> {
    const hosts = await inTurn(hostsOf(this.#run.targets), async (host) => ({ host, seen: await this.#host(host).inspection.survey() }));
    return foreseeRestorePoint(this.#run, hosts, await this.release(), true);
  }

  async #provision(target: PreparedContainer, { inspection, journal }: DeployHost): Promise<string> {
    const survey = await inspection.survey();
    const changes = planProvision(target, survey, this.#flags);
    if (changes.length === 0) return `${target.project}: provision: no changes: ${target.instance} is there and runs`;
    if (!changes.some(({ action }) => action === 'create')) await this.#point.ensure();
    await journal.started(await this.#point.current());
    await applyProvision(this.#run, target, survey, changes);
    inspection.provisioned(target);
    this.#done.push({ instance: target.instance, host: target.host, what: 'provision', changes });
    return `${target.project}: provision: ${showCount(changes)}`;
  }

  async #configure(target: PreparedContainer, { inspection, journal }: DeployHost): Promise<string> {
    const look = await inspection.look(target);
    const open = (await inspection.survey()).host;
    const { changes, health } = await configureContainer(this.#run, open, target, look, {
      firstChange: async () => {
        if (await inspection.wasThere(target)) await this.#point.ensure();
        await journal.started(await this.#point.current());
      },
      deployed: (await inspection.completedRelease(target)) !== undefined,
    });
    await journal.markRelease(target);
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
    const places = (await Promise.all(opened.map(({ inspection }) => inspection.places()))).flat();
    const set = await this.#point.current().catch(() => undefined);
    await onEvery(opened, async ({ inspection, journal }) =>
      journal.end(await this.#entries(inspection.name, success), { success, whole, deploys, places, set }),
    );
    const changes = this.#done.flatMap((one) => one.changes);
    const trips = (await Promise.all(opened.map(({ inspection }) => inspection.roundTrips()))).reduce((all, one) => all + one, 0);
    const summary = this.#dryRun ? 'dry run, nothing was changed' : `${success ? '' : 'FAILED; '}${showCount(changes)}`;
    return [`${this.#run.environment.name}: ${summary}; ${trips} round trips`, ...showLeftOut(this.#run)].join('\n');
  }

  /** What the audit log is told: what was done to each container, and what failed. */
  async #entries(host: string, success: boolean): Promise<NewAuditEntry[]> {
    const common = { run: this.#run.runId, who: this.#run.who, release: await this.release() };
    const done = this.#done
      .filter((one) => one.host === host && one.changes.length > 0)
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

  #host(name: string): DeployHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const configured = new Set(this.#request.tasks.filter(({ step }) => step === 'configure').map(({ project }) => project));
    const release = () => this.release();
    const inspection = new HostInspection(this.#run, name, {
      release,
      look: this.#run.targets.filter(({ host, project }) => host === name && configured.has(project)),
      purpose: this.#dryRun ? 'read' : 'change',
      lease: !this.#dryRun && this.#request.tasks.some(({ step }) => step !== 'preflight') ? this.#request.options : undefined,
    });
    const made = { inspection, journal: new RunJournal(this.#run, inspection, release) };
    this.#hosts.set(name, made);
    return made;
  }
}
