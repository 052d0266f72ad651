import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { showError } from '../../engine/errors.ts';
import type { StepRequest, StepResult } from '../../shared/request.ts';
import { readerOf } from '../../workspace/files.ts';
import { listenForInterruption } from './interruption.ts';
import { type BatchResult, taskOf, tasksOf } from './request.ts';
import { type StepKind, stepRequest } from './step-request.ts';

/** The steps of one tier: their options first, and what performs them once those are known to be right. */
export type LoadSteps<S extends string, O> = {
  options(): Promise<StepKind<S, O>>;
  perform(): Promise<(request: StepRequest<S, O>) => AsyncIterable<StepResult>>;
};

type Raw = Record<string, unknown>;
type Yielded = { task: string; result: BatchResult };
/** Each task's result, as it is there. */
export type StepResults = AsyncGenerator<Yielded, void>;

/** One step as a task of its own, as nx runs it with `--batch=false`. */
export async function runStep<S extends string, O>(
  load: LoadSteps<S, O>,
  raw: Raw,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const interruption = listenForInterruption();
  try {
    const perform = await performed(load, [{ task: taskOf(context), raw, dependsOn: [] }], context, interruption.signal);
    let success = false;
    for await (const result of perform()) {
      (result.success ? console.log : console.error)(result.output);
      success = result.success;
    }
    return { success };
  } catch (error) {
    console.error(showError(error));
    return { success: false };
  } finally {
    interruption.done();
  }
}

/**
 * All steps of a run in one process. Every task gets a result, whatever happens: nx runs a task again that has none.
 * Nothing is thrown: nx would fail the tasks that are done already.
 *
 * @param options by task id, as nx merged them
 */
export async function* runSteps<S extends string, O>(
  load: LoadSteps<S, O>,
  graph: TaskGraph,
  options: Readonly<Record<string, Raw>>,
  context: ExecutorContext,
): StepResults {
  const interruption = listenForInterruption();
  const dependenciesOf = (id: string) => (graph.dependencies[id] ?? []).filter((dependency) => dependency in graph.tasks);
  const pending = new Set(Object.keys(graph.tasks));
  const failed = new Set<string>();
  let reason = 'no result was reported for this task: this is a bug in nx-mooring';

  const yielded = (id: string, success: boolean, output: string): Yielded => {
    const skipped = !success && dependenciesOf(id).some((dependency) => failed.has(dependency));
    if (!success) failed.add(id);
    // Nx shows the output of failed tasks itself, and hides that of the others; what the worker prints is always shown.
    if (success) console.log(output);
    return { task: id, result: { success, terminalOutput: success ? '' : `${output}\n`, ...(skipped ? { status: 'skipped' } : {}) } };
  };

  try {
    const tasks = tasksOf(graph).map((task) => ({ task, raw: options[task.id] ?? {}, dependsOn: dependenciesOf(task.id) }));
    const perform = await performed(load, tasks, context, interruption.signal);
    for await (const { id, success, output } of perform()) {
      if (!pending.delete(id)) continue;
      const result = yielded(id, success, output);
      // With nx gone the work is still brought to its end; only there is nobody to tell.
      if (interruption.connected()) yield result;
    }
  } catch (error) {
    reason = showError(error);
  }
  for (const id of pending) {
    const result = yielded(id, false, reason);
    if (interruption.connected()) yield result;
  }
  interruption.done();
}

/** The steps of a run, ready to be performed. @throws InputError, ProblemsError for options that cannot be */
async function performed<S extends string, O>(
  load: LoadSteps<S, O>,
  tasks: Parameters<typeof stepRequest<S, O>>[1],
  context: ExecutorContext,
  signal: AbortSignal,
): Promise<() => AsyncIterable<StepResult>> {
  const files = readerOf(context.root);
  const request = stepRequest(await load.options(), tasks, context, signal, files);
  const [perform, { worldOf }] = await Promise.all([load.perform(), import('../../world/index.ts')]);
  return () => perform({ ...request, world: worldOf(context.root, files) });
}
