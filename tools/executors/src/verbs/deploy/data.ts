import { NotPartError } from '../../engine/errors.ts';
import { reasonOf } from '../../shared/apply.ts';
import type { StepResult } from '../../shared/request.ts';
import { openRun, type Run } from '../../shared/run.ts';
import type { DataRequest } from './options.ts';
import { Deploy } from './steps.ts';
import { notBegun, notPart, walk } from './task-graph.ts';

/** Performs the steps of a deploy of containers, and yields each result as it is there. */
export async function* dataTasks(request: DataRequest): AsyncGenerator<StepResult> {
  let run: Run;
  try {
    const { adopt, leaveBehind, newHost, without, skipTrial } = request.options;
    run = await openRun({ ...request, adopt, leaveBehind, newHost, without, skipTrial });
  } catch (error) {
    yield* error instanceof NotPartError ? notPart(request.tasks, request.environment) : notBegun(request.tasks, error);
    return;
  }
  // At once: what has begun may take longer than nx waits for us.
  run.signal.addEventListener('abort', () => run.progress(`stopping: ${reasonOf(run.signal)}; nothing more is begun`), { once: true });
  try {
    yield* walk(new Deploy(run, request), request.tasks, run.clean);
  } finally {
    await run.close();
  }
}
