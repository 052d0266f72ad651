import { isDeepStrictEqual } from 'node:util';
import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import type { z } from 'zod';
import { InputError, NotPartError, showError } from '../../engine/errors.ts';
import type { VerbRequest, VerbResult } from '../../shared/request.ts';
import { outFile, writeOut } from '../../workspace/out-file.ts';
import { listenForInterruption } from './interruption.ts';
import { refuseIfNoPart } from './part.ts';
import { type BatchResult, type NxTask, parseOptions, taskOf, tasksOf } from './request.ts';

/** A result, where it was not the verb that told the output. */
type Ended = VerbResult & { readonly isError?: boolean };

type Options = { environment?: string | undefined };
type Verb<S extends z.ZodType> = (request: VerbRequest<Omit<z.output<S>, 'environment'>>) => Promise<VerbResult>;
/** The file that the answer of all projects is written to as it is printed, absolute; none when it gives nothing. */
type AnswerFile<S extends z.ZodType> = (options: Omit<z.output<S>, 'environment'>) => string | undefined;
type Raw = Record<string, unknown>;

/**
 * A verb, imported bit by bit: its options first; what it does with containers and what it does with applications (where they have it)
 * only once the options are known to be right, and there are such projects.
 */
export type LoadVerb<S extends z.ZodType<Options> = z.ZodType<Options>> = {
  options(): Promise<{ readonly schema: S; readonly answerFile?: AnswerFile<S> }>;
  data(): Promise<Verb<S>>;
  app?(): Promise<Verb<S>>;
};

/** The executor of a verb that only asks, for one project. */
export async function runVerb<S extends z.ZodType<Options>>(
  load: LoadVerb<S>,
  raw: Raw,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const result = await run(load, [{ task: taskOf(context), raw }], context);
  print(result);
  return { success: result.success };
}

/** The same for all projects of a run at once: over one connection, with one table. */
export async function runVerbBatch<S extends z.ZodType<Options>>(
  load: LoadVerb<S>,
  graph: TaskGraph,
  options: Record<string, Raw>,
  context: ExecutorContext,
): Promise<Record<string, BatchResult>> {
  const tasks = tasksOf(graph);
  const result = await run(
    load,
    tasks.map((task) => ({ task, raw: options[task.id] ?? {} })),
    context,
  );
  // Nx hides what successful tasks say; what the worker prints is always shown, so it is printed once and given to no task.
  print(result);
  const failure = (task: NxTask) => !result.success && (result.failed?.includes(task.project) ?? true);
  return Object.fromEntries(tasks.map((task) => [task.id, { success: !failure(task), terminalOutput: '' }]));
}

/** An answer goes to stdout, also one that fails the run (`plan --fail-on-changes`); an error to stderr, so that nobody takes it for the answer. */
function print({ output, isError }: Ended): void {
  if (output !== '') (isError ? console.error : console.log)(output);
}

async function run<S extends z.ZodType<Options>>(
  load: LoadVerb<S>,
  tasks: readonly { task: NxTask; raw: Raw }[],
  context: ExecutorContext,
): Promise<Ended> {
  const interruption = listenForInterruption();
  let asJson = false;
  try {
    const { schema, answerFile = () => undefined } = await load.options();
    const [first, ...others] = tasks.map(({ task, raw }) => parseOptions(schema, raw, task, context));
    if (first === undefined) throw new InputError('no tasks');
    if (others.some((other) => !isDeepStrictEqual(other, first)))
      throw new InputError('the tasks of this run have different options', {
        next: 'give options on the command line, not in single project files',
      });
    refuseIfNoPart(context, first.environment);
    const { environment: _, ...options } = withOutFile(context.root, first.options);
    asJson = isJson(options);
    const isApp = ({ project }: NxTask) => context.projectsConfigurations.projects[project]?.tags?.includes('mooring:app') ?? false;
    const projects = (ofApps: boolean) => tasks.flatMap(({ task }) => (isApp(task) === ofApps ? [task.project] : []));
    const common = {
      root: context.root,
      environment: first.environment,
      options,
      signal: interruption.signal,
      print: (line: string) => console.error(line),
    };
    const result = await both(load, answerFile, { ...common, projects: projects(false) }, { ...common, projects: projects(true) });
    const file = answerFile(options);
    if (file !== undefined) await writeOut(file, result.output);
    return result;
  } catch (error) {
    const success = error instanceof NotPartError;
    // That there is nothing to do is no JSON.
    return { success, output: showError(error), isError: !success || asJson };
  } finally {
    interruption.done();
  }
}

const isJson = (options: object) => 'json' in options && options.json === true;

/** The options with `--out` as an absolute path. @throws InputError where nothing can be written there */
function withOutFile<O extends object>(root: string, options: O): O {
  return 'out' in options && typeof options.out === 'string' ? { ...options, out: outFile(root, options.out) } : options;
}

/** Each tier for its own projects, their answers one below the other. */
async function both<S extends z.ZodType<Options>>(
  load: LoadVerb<S>,
  answerFile: AnswerFile<S>,
  ofData: Parameters<Verb<S>>[0],
  ofApps: Parameters<Verb<S>>[0],
): Promise<VerbResult> {
  if (ofApps.projects.length === 0 || load.app === undefined) return (await load.data())(ofData);
  const app = await load.app();
  if (ofData.projects.length === 0) return app(ofApps);
  if (answerFile(ofData.options) === undefined && 'out' in ofData.options && ofData.options.out !== undefined)
    throw new InputError('--out is one file: containers and applications would both be written to it', {
      next: 'name the projects of one kind',
    });
  const results = await Promise.all([attempt(await load.data(), ofData), attempt(app, ofApps)]);
  const json = isJson(ofData.options);
  // What is wrong with a file that both read is told once. Why a tier gives no answer is no JSON.
  const outputs = new Set(results.flatMap(({ output, isError }) => (json && isError ? [] : [output])));
  const reasons = new Set(results.flatMap(({ output, isError }) => (json && isError ? [output] : [])));
  for (const reason of reasons) ofData.print(reason);
  return {
    success: results.every(({ success }) => success),
    output: [...outputs].join(json ? '\n' : '\n\n'),
    failed: results.flatMap(({ failed = [] }) => failed),
  };
}

async function attempt<S extends z.ZodType<Options>>(verb: Verb<S>, request: Parameters<Verb<S>>[0]): Promise<Ended> {
  const result: Ended = await verb(request).catch((error: unknown) => ({
    success: error instanceof NotPartError,
    output: showError(error),
    isError: true,
  }));
  return result.success ? result : { failed: request.projects, ...result };
}
