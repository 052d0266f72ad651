import type { Change } from '../../engine/change.ts';
import { MooringError } from '../../engine/errors.ts';
import { showCount } from '../../engine/show-change.ts';
import type { AppStep } from '../../engine/steps.ts';
import type { AppInvocation } from '../../shared/app/run.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { foreseeConfigure, foreseeDeploy, foreseeProvision } from './app-foresee.ts';
import type { AppPart } from './app-part.ts';
import { configure, deploy, provision } from './app-perform.ts';
import { AppSessions } from './app-sessions.ts';
import type { AppRequest, AppTask } from './options.ts';
import type { Steps } from './task-graph.ts';

type StepOf = (part: AppPart, target: PreparedApp) => Promise<string>;

const PERFORM: Readonly<Record<AppStep, StepOf>> = { provision, configure, deploy };
const FORESEE: Readonly<Record<AppStep, StepOf>> = {
  provision: foreseeProvision,
  configure: foreseeConfigure,
  deploy: foreseeDeploy,
};

/** The deploy of applications, or the part of it that runs in this process. */
export class AppDeploy implements Steps<AppTask> {
  readonly #part: AppPart;
  readonly #done: Change[] = [];
  readonly #failures: string[] = [];

  constructor(run: AppInvocation, { options }: AppRequest) {
    this.#part = { run, options, sessions: new AppSessions(run, options), did: (changes) => void this.#done.push(...changes) };
  }

  note(text: string): void {
    this.#failures.push(text);
  }

  async step({ project, step }: AppTask): Promise<string> {
    const { run, options } = this.#part;
    const target = run.targets.find((one) => one.project === project);
    if (target === undefined) return `${project}: not part of ${run.environment.name}`;
    if (step === 'provision' && target === run.targets[0]) for (const warning of run.warnings) run.progress(warning);
    try {
      return await (options.dryRun ? FORESEE : PERFORM)[step](this.#part, target);
    } catch (error) {
      const page = step === 'provision' ? 'guests' : 'applications';
      throw error instanceof MooringError ? error.with({ instance: target.guest.name, step, page }) : error;
    }
  }

  async end(success: boolean): Promise<string> {
    const { run, options, sessions } = this.#part;
    await sessions.end(this.#failures);
    const { name } = run.environment;
    if (options.dryRun) return `${name}: dry run, nothing was changed`;
    return `${name}: ${success ? '' : 'FAILED; '}${showCount(this.#done)}`;
  }
}
