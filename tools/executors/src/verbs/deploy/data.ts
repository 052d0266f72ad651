import type { StepResult } from '../../shared/request.ts';
import { openRun } from '../../shared/run.ts';
import type { DataRequest } from './options.ts';
import { Deploy } from './steps.ts';
import { perform } from './task-graph.ts';

/** Performs the steps of a deploy of containers, and yields each result as it is there. */
export function dataTasks(request: DataRequest): AsyncGenerator<StepResult> {
  const { adopt, leaveBehind, newHost, without, skipTrial } = request.options;
  return perform(
    request,
    () => openRun({ ...request, adopt, leaveBehind, newHost, without, skipTrial }),
    (run) => new Deploy(run, request),
  );
}
