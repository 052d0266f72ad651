import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { z } from 'zod';
import { InputError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { mustParse } from '../../workspace/problems.ts';
import { asTyped } from './typed.ts';

/** A task as nx gives it to an executor, batched or not. */
export type NxTask = { readonly id: string; readonly project: string; readonly target: string; readonly configuration: string | undefined };

/** The option in which nx hands over what was typed: schema.json asks for it (nx `params.js`, `convertSmartDefaultsIntoNamedParams`). */
export const UNPARSED = '__unparsed__';

/** What nx adds to the options of a task by itself. */
const NX_OWN = ['__overrides_unparsed__', UNPARSED, 'verbose', '$0'];

/**
 * Parses a task's options and checks what nx does not: that they name an environment, and that environment and step
 * are the target's own and were not replaced on the command line. Nx runs a task whose configuration it does not know
 * with its base options, so this is the last guard before a host is asked.
 *
 * @throws ProblemsError, InputError
 */
export function parseOptions<S extends z.ZodType>(
  schema: S,
  raw: Readonly<Record<string, unknown>>,
  task: NxTask,
  context: ExecutorContext,
): { environment: string; options: z.output<S> } {
  const own = context.projectsConfigurations.projects[task.project]?.targets?.[task.target];
  const options = parseOnly(schema, raw, task);
  const configured: unknown = task.configuration === undefined ? undefined : own?.configurations?.[task.configuration]?.environment;
  if (typeof configured !== 'string') {
    throw new InputError(
      `${task.project}:${task.target}: no environment given. Known environments: ${Object.keys(own?.configurations ?? {}).join(', ') || 'none'}.`,
      {
        next: '--configuration=<environment>',
      },
    );
  }
  for (const [name, fixed] of [
    ['environment', configured],
    ['step', own?.options?.step],
  ] as const) {
    if (raw[name] !== fixed)
      throw new InputError(`--${name} is not taken from the command line: it would replace that of every task of the run`, {
        next: nxRun(task.target, { project: task.project, environment: configured }),
      });
  }
  // Also a target that somebody made of an executor of ours. It never succeeds, so nx never has a success of it to give.
  if (own?.cache === true)
    throw new InputError(`${task.project}:${task.target} has "cache": true, and nx would answer for the hosts from its cache`, {
      next: 'take "cache" out of that target',
    });
  return { environment: configured, options };
}

/** Parses the options of a task that needs no environment. @throws ProblemsError, InputError */
export function parseOnly<S extends z.ZodType>(
  schema: S,
  raw: Readonly<Record<string, unknown>>,
  task: Pick<NxTask, 'project' | 'target'>,
): z.output<S> {
  const given = Object.fromEntries(Object.entries(raw).filter(([name, value]) => !NX_OWN.includes(name) && value !== undefined));
  const target = `${task.project}:${task.target}`;
  const words = z.array(z.string()).catch([]).parse(raw[UNPARSED]);
  return mustParse(schema, asTyped(given, words), { file: `${target} options`, flags: true }, target);
}

/** The one task of an executor that runs unbatched. */
export function taskOf(context: ExecutorContext): NxTask {
  const { projectName: project = '', targetName: target = '', configurationName: configuration } = context;
  return { id: [project, target, configuration].filter(Boolean).join(':'), project, target, configuration };
}

/** The tasks of a batch. There nx leaves `context.configurationName` undefined; each task has its own. */
export function tasksOf(graph: TaskGraph): NxTask[] {
  return Object.values(graph.tasks).map(({ id, target }) => ({
    id,
    project: target.project,
    target: target.target,
    configuration: target.configuration,
  }));
}

/** What nx takes as the result of one task of a batch (nx `task-orchestrator.js`, `resolveBatchTaskStatus`). */
export type BatchResult = { success: boolean; status?: 'skipped'; terminalOutput: string };
