import { openAppRun } from '../../shared/app/run.ts';
import type { StepResult } from '../../shared/request.ts';
import { checkSha } from '../../workspace/release.ts';
import { AppDeploy } from './app-steps.ts';
import type { AppRequest } from './options.ts';
import { perform } from './task-graph.ts';

/** Performs the steps of the deploy of applications, and yields each result as it is there. */
export function appTasks(request: AppRequest): AsyncGenerator<StepResult> {
  const { commit, adopt, skipTrial } = request.options;
  return perform(
    request,
    async () => {
      if (commit !== undefined) checkSha(commit, '--commit');
      const projects = [...new Set(request.tasks.map(({ project }) => project))];
      return openAppRun({ ...request, projects, adopt, skipTrial });
    },
    (run) => new AppDeploy(run, request),
  );
}
