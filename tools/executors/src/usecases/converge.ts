import { MooringError, NotPartError, ProblemsError, showError } from '../engine/errors.ts';
import type { ConvergeRequest, ConvergeResult, ConvergeTask } from '../executors/converge/converge.ts';
import { reasonOf } from './apply.ts';
import { Deploy } from './deploy.ts';
import { openRun, type Run } from './run.ts';

/**
 * Walks the tasks of a run in the order of their edges, those that do not depend on each other at the same time, and
 * yields each result as it is there. Nx enforces no order inside a batch.
 */
export async function* convergeTasks(request: ConvergeRequest): AsyncGenerator<ConvergeResult> {
  let run: Run;
  try {
    run = await openRun({ ...request, adopt: request.options.adopt });
  } catch (error) {
    if (error instanceof NotPartError) yield* notPart(request);
    else yield* allFailed(request.tasks, showError(error));
    return;
  }
  // At once: what has begun may take longer than nx waits for us.
  run.signal.addEventListener('abort', () => run.progress(`stopping: ${reasonOf(run.signal)}; nothing more is begun`), { once: true });
  try {
    yield* walk(run, request);
  } finally {
    await run.close();
  }
}

async function* walk(run: Run, request: ConvergeRequest): AsyncGenerator<ConvergeResult> {
  const deploy = new Deploy(run, request);
  const running = new Map<string, Promise<ConvergeResult>>();
  const begin = (task: ConvergeTask): Promise<ConvergeResult> => {
    const known = running.get(task.id);
    if (known !== undefined) return known;
    const result = attempt(deploy, task, () => Promise.all(request.tasks.filter(({ id }) => task.dependsOn.includes(id)).map(begin)));
    running.set(task.id, result);
    return result;
  };
  for (const task of request.tasks) void begin(task);
  const results: ConvergeResult[] = [];
  const waiting = new Map(running);
  while (waiting.size > 0) {
    const result = await Promise.race(waiting.values());
    waiting.delete(result.id);
    results.push(result);
    // The last result is held back until the run is written down and its lease is given back: nx may end us after it.
    if (waiting.size > 0) yield { ...result, output: run.redact(result.output) };
  }
  const last = results.at(-1);
  if (last === undefined) return;
  yield await ended(deploy, results, last, run);
}

async function ended(deploy: Deploy, results: readonly ConvergeResult[], last: ConvergeResult, run: Run): Promise<ConvergeResult> {
  try {
    const summary = await deploy.end(results.every(({ success }) => success));
    return { ...last, output: run.redact(`${last.output}\n${summary}`) };
  } catch (error) {
    return { ...last, success: false, output: run.redact(`${last.output}\n${showError(error)}`) };
  }
}

async function attempt(deploy: Deploy, task: ConvergeTask, dependencies: () => Promise<ConvergeResult[]>): Promise<ConvergeResult> {
  // A task begins after its caller has entered it in the list: two that depend on it must find the same one.
  await Promise.resolve();
  const failed = (await dependencies()).filter(({ success }) => !success);
  if (failed.length > 0)
    return { id: task.id, success: false, output: `${task.id}: not run, because ${failed.map(({ id }) => id).join(', ')} failed` };
  try {
    return { id: task.id, success: true, output: await deploy.step(task) };
  } catch (error) {
    if (!(error instanceof MooringError || error instanceof ProblemsError)) deploy.note('internal error');
    deploy.note(`${task.id} failed: ${error instanceof Error ? error.message : String(error)}`);
    return { id: task.id, success: false, output: `${task.id} failed: ${showError(error)}` };
  }
}

function* notPart({ tasks, environment }: ConvergeRequest): Generator<ConvergeResult> {
  for (const { id, project } of tasks) yield { id, success: true, output: `${project}: not part of ${environment}` };
}

function* allFailed(tasks: readonly ConvergeTask[], reason: string): Generator<ConvergeResult> {
  for (const [i, task] of tasks.entries()) {
    yield { id: task.id, success: false, output: i === 0 ? reason : `${task.id}: not run, for the same reason as ${tasks[0]?.id}` };
  }
}
