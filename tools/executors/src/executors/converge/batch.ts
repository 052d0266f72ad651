import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { showError } from '../../engine/errors.ts';
import { listenForInterruption } from '../shared/interruption.ts';
import { type BatchResult, tasksOf } from '../shared/request.ts';
import { convergeRequest } from './converge.ts';

type Yielded = { task: string; result: BatchResult };

/**
 * All steps of a run in one process. Every task gets a result, whatever happens: nx runs a task again that has none.
 * Nothing is thrown: nx would fail the tasks that are done already.
 */
export default async function* convergeBatch(graph: TaskGraph, options: Record<string, Record<string, unknown>>, _overrides: unknown, context: ExecutorContext): AsyncGenerator<Yielded, void> {
  const interruption = listenForInterruption();
  const pending = new Set(Object.keys(graph.tasks));
  const failed = new Set<string>();
  let reason = 'nothing was said about this task; this is an error of nx-mooring';
  try {
    const tasks = tasksOf(graph).map((task) => ({
      task,
      raw: options[task.id] ?? {},
      dependsOn: (graph.dependencies[task.id] ?? []).filter((dependency) => dependency in graph.tasks),
    }));
    const request = convergeRequest(tasks, context, interruption.signal);
    const { convergeTasks } = await import('../../usecases/converge.ts');
    for await (const { id, success, output } of convergeTasks(request)) {
      if (!pending.delete(id)) continue;
      if (!success) failed.add(id);
      // Nx shows the output of failed tasks itself, and hides that of the others; what the worker prints is always shown.
      if (success) console.log(output);
      // With nx gone the work is still brought to its end; only there is nobody to tell.
      if (interruption.connected()) yield { task: id, result: result(id, success, output) };
    }
  } catch (error) {
    reason = showError(error);
  }
  for (const id of pending) {
    failed.add(id);
    if (interruption.connected()) yield { task: id, result: result(id, false, reason) };
  }
  interruption.done();

  function result(id: string, success: boolean, terminalOutput: string): BatchResult {
    const skipped = !success && (graph.dependencies[id] ?? []).some((dependency) => failed.has(dependency));
    return { success, terminalOutput: success ? '' : `${terminalOutput}\n`, ...(skipped ? { status: 'skipped' } : {}) };
  }
}
