import { NotPartError } from '../../engine/errors.ts';
import { type AppRun, openAppRun } from '../../shared/app/run.ts';
import { reasonOf } from '../../shared/apply.ts';
import type { StepResult } from '../../shared/request.ts';
import { checkSha } from '../../workspace/release.ts';
import { AppDeploy } from './app-steps.ts';
import type { AppRequest } from './options.ts';
import { notBegun, notPart, walk } from './task-graph.ts';

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
