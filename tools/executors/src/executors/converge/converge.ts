import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ExecutorContext } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { newRunId, RUN_ID } from '../../plugin/run-id.ts';
import type { Step } from '../../plugin/targets.ts';
import { refuseIfNoPart } from '../shared/part.ts';
import { type NxTask, parseOptions } from '../shared/request.ts';
import { type ConvergeOptions, convergeSchema } from './options.ts';

/** A step of one project, and the steps (of the same request) that must have succeeded before it. */
export type ConvergeTask = { readonly id: string; readonly project: string; readonly step: Step; readonly dependsOn: readonly string[] };

/** What the executors ask of `usecases/converge.ts`. */
export type ConvergeRequest = {
  /** The workspace, absolute. */
  readonly root: string;
  readonly environment: string;
  readonly runId: string;
  readonly tasks: readonly ConvergeTask[];
  /** Every project of the nx run, those of other batches and processes too. */
  readonly projects: readonly string[];
  readonly options: ConvergeOptions;
  /** Aborted when the run has to end; its reason is a text. */
  readonly signal: AbortSignal;
  /** Prints a line of progress at once. */
  readonly print: (line: string) => void;
};

/** How a task of the request ended; `output` is for the terminal, secrets not in it. */
export type ConvergeResult = { readonly id: string; readonly success: boolean; readonly output: string };

/** Makes the request for some tasks of a run. @throws InputError, ProblemsError for options that cannot be */
export function convergeRequest(
  tasks: readonly { task: NxTask; raw: Record<string, unknown>; dependsOn: readonly string[] }[],
  context: ExecutorContext,
  signal: AbortSignal,
): ConvergeRequest {
  const parsed = tasks.map(({ task, raw, dependsOn }) => {
    const { environment, options } = parseOptions(convergeSchema, raw, task, context);
    const { environment: _, step, ...rest } = options;
    return { environment, options: rest, task: { id: task.id, project: task.project, step, dependsOn } };
  });
  const [first, ...others] = parsed;
  if (first === undefined) throw new InputError('no tasks');
  refuseIfNoPart(context, first.environment);
  for (const { task, environment, options } of others) {
    if (environment !== first.environment || !isDeepStrictEqual(options, first.options)) {
      throw new InputError(`${task.id} and ${first.task.id} have different options; the steps of one run take the same`, {
        next: 'give options on the command line, not in single project files',
      });
    }
  }
  return {
    root: context.root,
    environment: first.environment,
    runId: process.env[RUN_ID] ?? newRunId(new Date(), randomBytes(6)),
    tasks: parsed.map(({ task }) => task),
    projects: [...new Set(Object.values(context.taskGraph?.tasks ?? {}).map(({ target }) => target.project))],
    options: first.options,
    signal,
    print: (line) => console.log(line),
  };
}
