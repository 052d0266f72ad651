import { isDeepStrictEqual } from 'node:util';
import type { ExecutorContext } from '@nx/devkit';
import type { z } from 'zod';
import { InputError } from '../../engine/errors.ts';
import { runIdOf } from '../../engine/run-id.ts';
import type { StepRequest } from '../../shared/request.ts';
import type { Reader } from '../../workspace/files.ts';
import { machine } from '../../world/machine.ts';
import { refuseIfNoPart } from './part.ts';
import { type NxTask, parseOptions } from './request.ts';

/** The steps of one tier: their options, and those of them that its verb heeds. */
export type StepKind<S extends string, O> = {
  readonly schema: z.ZodType<{ environment?: string | undefined; step: S }>;
  readonly heed: (options: Readonly<Record<string, unknown>>) => O;
};

/** Makes the request for some tasks of a run. @throws InputError, ProblemsError for options that cannot be */
export function stepRequest<S extends string, O>(
  { schema, heed }: StepKind<S, O>,
  tasks: readonly { task: NxTask; raw: Record<string, unknown>; dependsOn: readonly string[] }[],
  context: ExecutorContext,
  signal: AbortSignal,
  files: Reader,
): Omit<StepRequest<S, O>, 'world'> {
  const parsed = tasks.map(({ task, raw, dependsOn }) => {
    const { environment, options } = parseOptions(schema, raw, task, context);
    const { environment: _, step, ...rest } = options;
    return { environment, options: rest, task: { id: task.id, project: task.project, step, dependsOn } };
  });
  const [first, ...others] = parsed;
  if (first === undefined) throw new InputError('no tasks');
  refuseIfNoPart(context, first.environment, files);
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
    runId: runIdOf(machine),
    tasks: parsed.map(({ task }) => task),
    projects: [...new Set(Object.values(context.taskGraph?.tasks ?? {}).map(({ target }) => target.project))],
    options: heed(first.options),
    signal,
    print: (line) => console.log(line),
  };
}
