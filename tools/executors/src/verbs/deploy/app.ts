import { NotPartError } from '../../engine/errors.ts';
import type { StepResult } from '../../shared/request.ts';
import { AppDeploy } from '../../usecases/app/deploy.ts';
import { type AppRun, openAppRun } from '../../usecases/app/run.ts';
import { reasonOf } from '../../usecases/apply.ts';
import { notBegun, notPart, walk } from '../../usecases/walk.ts';
import { checkSha } from '../../workspace/release.ts';
import type { AppRequest } from './options.ts';

/** Performs the steps of the deploy of applications, and yields each result as it is there. */
export async function* appTasks(request: AppRequest): AsyncGenerator<StepResult> {
  let run: AppRun;
  try {
    const { commit, adopt, skipTrial } = request.options;
    if (commit !== undefined) checkSha(commit, '--commit');
    const projects = [...new Set(request.tasks.map(({ project }) => project))];
    run = await openAppRun({ ...request, projects, adopt, skipTrial });
  } catch (error) {
    yield* error instanceof NotPartError ? notPart(request.tasks, request.environment) : notBegun(request.tasks, error);
    return;
  }
  run.signal.addEventListener('abort', () => run.progress(`stopping: ${reasonOf(run.signal)}; nothing more is begun`), { once: true });
  try {
    yield* walk(new AppDeploy(run, request), request.tasks, run.clean);
  } finally {
    await run.close();
  }
}
