import { appService } from '../../apps/index.ts';
import type { Change } from '../../engine/change.ts';
import { MooringError } from '../../engine/errors.ts';
import type { ProvisionPlan } from '../../engine/guest-platform.ts';
import { showChange, showCount, showDifference } from '../../engine/show-change.ts';
import { configureGuest, deployToGuest, lookAtGuest, planGuestDeploy } from '../../shared/app/guest.ts';
import { type ReachOptions, reach } from '../../shared/app/reach.ts';
import type { AppRun } from '../../shared/app/run.ts';
import { mustRun } from '../../shared/app/running.ts';
import { Session } from '../../shared/app/session.ts';
import type { AppReady } from '../../shared/app/target.ts';
import { remember } from '../../shared/remember.ts';
import { planStages } from '../../shared/stages.ts';
import { refuse } from '../../workspace/problems.ts';
import type { AppRequest, AppTask } from './options.ts';
import type { Steps } from './task-graph.ts';

const UP_MS = 180_000;

/** The deploy of applications, or the part of it that runs in this process. What its steps need in common is looked up once. */
export class AppDeploy implements Steps<AppTask> {
  readonly #run: AppRun;
  readonly #request: AppRequest;
  readonly #sessions = new Map<string, Promise<Session>>();
  readonly #done: Change[] = [];
  readonly #failures: string[] = [];

  constructor(run: AppRun, request: AppRequest) {
    this.#run = run;
    this.#request = request;
  }

  note(text: string): void {
    this.#failures.push(text);
  }

  async step(task: AppTask): Promise<string> {
    const target = this.#run.targets.find(({ project }) => project === task.project);
    if (target === undefined) return `${task.project}: not part of ${this.#run.environment.name}`;
    try {
      switch (task.step) {
        case 'provision':
          return await this.#provision(target);
        case 'configure':
          return await this.#configure(target);
        case 'deploy':
          return await this.#deploy(target);
      }
    } catch (error) {
      throw error instanceof MooringError
        ? error.with({ instance: target.guest.name, step: task.step, page: task.step === 'provision' ? 'guests' : 'applications' })
        : error;
    }
  }

  async end(success: boolean): Promise<string> {
    await Promise.all([...this.#sessions].map(([project, session]) => this.#endOf(project, session)));
    const name = this.#run.environment.name;
    if (this.#request.options.dryRun) return `${name}: dry run, nothing was changed`;
    return `${name}: ${success ? '' : 'FAILED; '}${showCount(this.#done)}`;
  }

  /** Each guest's log is told what failed of its own application. One that was not reached can be told nothing. */
  async #endOf(project: string, opening: Promise<Session>): Promise<void> {
    const session = await opening.catch(() => undefined);
    if (session === undefined) return;
    for (const detail of this.#failures.filter((text) => text.startsWith(`${project}:`)))
      session.note({ what: 'failure', result: 'failed', detail });
    await session.end();
  }

  async #provision(target: AppReady): Promise<string> {
    const { project, guest } = target;
    const { options } = this.#request;
    if (target === this.#run.targets[0]) for (const warning of this.#run.warnings) this.#run.progress(warning);
    if (!options.dryRun) await this.#run.platform.wholeIfCreating(target);
    const plan = await this.#run.platform.plan(target, { ...options, adopt: this.#run.adopts(target) });
    refuse(plan.problems, `${project}: nothing was touched`);
    if (options.dryRun) return [`${project}: provision: ${showCount(plan.changes)}`, ...lines(plan.changes)].join('\n');
    if (plan.verdict.state !== 'free') this.#run.progress(`${project}: --allow-ip-conflicts: ${conflict(plan)}`);
    for (const change of plan.changes) this.#run.progress(`${project}: provision: ${showChange(change)}`);
    const now = await plan.apply();
    this.#done.push(...plan.changes);
    if (!guest.start && now.state === 'stopped')
      return `${project}: provision: ${told(plan.changes, 'it is there, and is not to be started')}`;
    const session = await this.#session(target, async () => reach(this.#run, target, now, this.#reaching()));
    if (plan.changes.length > 0 || plan.verdict.state !== 'free') {
      const detail = plan.verdict.state === 'free' ? {} : { detail: `--allow-ip-conflicts: ${conflict(plan)}` };
      session.note({ what: 'provision', result: 'ok', changes: plan.changes.map(showChange), ...detail });
    }
    return `${project}: provision: ${told(plan.changes, `${guest.name} is there and runs`)}; SSH answers at ${target.address}`;
  }

  async #configure(target: AppReady): Promise<string> {
    const { project } = target;
    const { options } = this.#request;
    if (options.dryRun) return this.#foresee(target);
    const session = await this.#reached(target);
    const changes = await configureGuest(await session.leased(options, this.#commit()));
    this.#done.push(...changes);
    if (changes.length > 0) session.note({ what: 'configure', result: 'ok', changes: changes.map(showChange) });
    return `${project}: configure: ${told(changes, 'everything is as the settings say')}`;
  }

  async #deploy(target: AppReady): Promise<string> {
    const { project, desired } = target;
    const { options } = this.#request;
    const { commit } = options;
    if (options.dryRun) {
      const session = await this.#reachedIfThere(target);
      if (session === undefined) return `${project}: deploy: known after provision`;
      const { changes, because } = await planGuestDeploy(session.looking(), commit);
      return [`${project}: deploy: ${showCount(changes)}: ${because}`, ...lines(changes)].join('\n');
    }
    const session = await this.#reached(target);
    const plan = await deployToGuest(await session.leased(options, this.#commit()), commit);
    this.#done.push(...plan.changes);
    if (plan.changes.length > 0)
      session.note({
        what: 'deploy',
        result: 'ok',
        changes: plan.changes.map(showChange),
        ...(plan.commit ? { release: plan.commit } : {}),
      });
    const health = `${desired.settings.health.path} answers`;
    return `${project}: deploy: ${told(plan.changes, plan.because)}; release ${plan.release} is live, ${health}`;
  }

  /** `--dry-run` of configure: what is known without changing anything. */
  async #foresee(target: AppReady): Promise<string> {
    const session = await this.#reachedIfThere(target);
    if (session === undefined) return `${target.project}: configure: known after provision`;
    const stages = planStages(appService(target.desired.settings), target.desired, await lookAtGuest(session.looking()));
    return stages
      .flatMap((stage) =>
        'knownAfter' in stage
          ? [`${target.project}: configure: ${stage.stage}: known after ${stage.knownAfter}`]
          : [`${target.project}: configure: ${stage.stage}: ${showCount(stage.changes)}`, ...lines(stage.changes)],
      )
      .join('\n');
  }

  /** The guest, which provision has reached; or without it, one that is there and runs. */
  #reached(target: AppReady): Promise<Session> {
    return this.#session(target, async () => reach(this.#run, target, await mustRun(this.#run, target), this.#reaching()));
  }

  #reaching(): ReachOptions {
    const { acceptHostKey, timeout } = this.#request.options;
    return { acceptHostKey: acceptHostKey || this.#run.environment.proxmox.acceptHostKeys, timeoutMs: timeout ?? UP_MS };
  }

  async #reachedIfThere(target: AppReady): Promise<Session | undefined> {
    const guest = await this.#run.platform.find(target.wanted);
    return guest?.state === 'running' ? this.#reached(target) : undefined;
  }

  #session(target: AppReady, open: () => Promise<Session['host']>): Promise<Session> {
    return remember(this.#sessions, target.project, async () => new Session(this.#run, target, await open()));
  }

  /** What the lease says is being deployed: a commit that is asked for, else zeros, for the newest one is not known yet. */
  #commit(): string {
    return this.#request.options.commit ?? '0'.repeat(40);
  }
}

function conflict({ verdict }: ProvisionPlan): string {
  return verdict.state === 'taken'
    ? `the address is taken: ${verdict.by.join('; ')}`
    : verdict.state === 'unknown'
      ? `not known to be free: ${verdict.unseen.join('; ')}`
      : '';
}

function lines(changes: readonly Change[]): string[] {
  return changes.flatMap((change) => [`  ${showChange(change)}`, ...showDifference(change).map((line) => `    ${line}`)]);
}

function told(changes: readonly Change[], none: string): string {
  return changes.length === 0 ? `no changes: ${none}` : showCount(changes);
}
