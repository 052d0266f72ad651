import { NotPartError } from '../engine/errors.ts';
import type { ConvergeRequest, ConvergeResult } from '../executors/converge/converge.ts';
import { reasonOf } from './apply.ts';
import { Deploy } from './deploy.ts';
import { openRun, type Run } from './run.ts';
import { notBegun, notPart, walk } from './walk.ts';

/** Performs the steps of a deploy of containers, and yields each result as it is there. */
export async function* convergeTasks(request: ConvergeRequest): AsyncGenerator<ConvergeResult> {
  let run: Run;
  try {
    const { adopt, newHost, without, skipTrial } = request.options;
    run = await openRun({ ...request, adopt, newHost, without, skipTrial });
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
