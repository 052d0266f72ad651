import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { showError } from '../../engine/errors.ts';
import type { VerbResult } from '../../shared/request.ts';
import type { ArtifactRequest } from '../../verbs/artifact/options.ts';
import { listenForInterruption } from '../shared/interruption.ts';
import { type BatchResult, type NxTask, parseOnly, taskOf, tasksOf } from '../shared/request.ts';
import { artifactSchema } from './options.ts';

type Raw = Record<string, unknown>;
type Ended = VerbResult & { readonly isError: boolean };

/** Obtains a service's binaries ahead of a deploy. It touches no host, and so needs no environment. */
export async function runOne(raw: Raw, context: ExecutorContext): Promise<{ success: boolean }> {
  const interruption = listenForInterruption();
  const { success, output, isError } = await obtainFor(taskOf(context), raw, context, interruption.signal);
  interruption.done();
  (isError ? console.error : console.log)(output);
  return { success };
}

/**
 * The same for all projects of a run, one after the other: a build takes all cores. In a batch nx keeps of a task what it is given here, and
 * shows that again when the task comes from the cache: what is so now, and not the progress of a build that was once.
 */
export async function runBatch(
  graph: TaskGraph,
  options: Record<string, Raw>,
  context: ExecutorContext,
): Promise<Record<string, BatchResult>> {
  const interruption = listenForInterruption();
  const results: Record<string, BatchResult> = {};
  for (const task of tasksOf(graph)) {
    const { success, output } = await obtainFor(task, options[task.id] ?? {}, context, interruption.signal);
    results[task.id] = { success, terminalOutput: `${output}\n` };
  }
  interruption.done();
  return results;
}

async function obtainFor(task: NxTask, raw: Raw, context: ExecutorContext, signal: AbortSignal): Promise<Ended> {
  try {
    const options = parseOnly(artifactSchema, raw, task);
    const { artifact } = await import('../../usecases/verbs.ts');
    const request: ArtifactRequest = {
      root: context.root,
      projects: [task.project],
      options,
      signal,
      print: (line) => console.error(line),
    };
    return { ...(await artifact(request)), isError: false };
  } catch (error) {
    return { success: false, output: showError(error), isError: true };
  }
}
