import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import type { z } from 'zod';
import { showError } from '../../engine/errors.ts';
import type { Report } from '../../report/report.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { rendered } from './answer.ts';
import { listenForInterruption } from './interruption.ts';
import { type BatchResult, type NxTask, parseOnly, taskOf, tasksOf } from './request.ts';

type Raw = Record<string, unknown>;
type Ended = { readonly success: boolean; readonly output: string; readonly isError: boolean };

/** A verb that touches no host, and so needs no environment. */
export type LoadAhead<S extends z.ZodType<{ json: boolean }>, T> = {
  options(): Promise<{ readonly schema: S }>;
  perform(): Promise<{
    readonly verb: (request: Omit<VerbRequest<z.output<S>>, 'environment' | 'ask' | 'preview'>) => Promise<Answer<T>>;
    readonly report: Report<T, z.output<S>>;
  }>;
};

/** The executor of such a verb, for one project. */
export async function runAhead<S extends z.ZodType<{ json: boolean }>, T>(
  load: LoadAhead<S, T>,
  raw: Raw,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const interruption = listenForInterruption();
  const { success, output, isError } = await perform(load, taskOf(context), raw, context, interruption.signal);
  interruption.done();
  (isError ? console.error : console.log)(output);
  return { success };
}

/**
 * The same for all projects of a run, one after the other: a build takes all cores. In a batch nx keeps of a task what it is given here, and
 * shows that again when the task comes from the cache: what is so now, and not the progress of a build that was once.
 */
export async function runAheadBatch<S extends z.ZodType<{ json: boolean }>, T>(
  load: LoadAhead<S, T>,
  graph: TaskGraph,
  options: Record<string, Raw>,
  context: ExecutorContext,
): Promise<Record<string, BatchResult>> {
  const interruption = listenForInterruption();
  const results: Record<string, BatchResult> = {};
  for (const task of tasksOf(graph)) {
    const { success, output } = await perform(load, task, options[task.id] ?? {}, context, interruption.signal);
    results[task.id] = { success, terminalOutput: `${output}\n` };
  }
  interruption.done();
  return results;
}

async function perform<S extends z.ZodType<{ json: boolean }>, T>(
  load: LoadAhead<S, T>,
  task: NxTask,
  raw: Raw,
  context: ExecutorContext,
  signal: AbortSignal,
): Promise<Ended> {
  try {
    const { schema } = await load.options();
    const options = parseOnly(schema, raw, task);
    const [{ verb, report }, { worldOf }] = await Promise.all([load.perform(), import('../../world/index.ts')]);
    const request = {
      root: context.root,
      world: worldOf(context.root),
      projects: [task.project],
      options,
      signal,
      print: (line: string) => console.error(line),
    };
    return { ...rendered(report, await verb(request), options, options.json), isError: false };
  } catch (error) {
    return { success: false, output: showError(error), isError: true };
  }
}
