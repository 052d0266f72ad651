import { isDeepStrictEqual } from 'node:util';
import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import type { z } from 'zod';
import { InputError, NotPartError, showError } from '../../engine/errors.ts';
import type { Report } from '../../report/report.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { readerOf } from '../../workspace/files.ts';
import { outFile, writeOut } from '../../workspace/out-file.ts';
import { fileContent, type Rendered, rendered } from './answer.ts';
import { listenForInterruption } from './interruption.ts';
import { refuseIfNoPart } from './part.ts';
import { type BatchResult, type NxTask, parseOptions, taskOf, tasksOf } from './request.ts';
import { terminalAsk } from './terminal.ts';

/** As it is printed, where it was not the verb that told the output. */
type Ended = Omit<Rendered, 'beside'> & { readonly isError?: boolean };

type Options = { environment?: string | undefined };
type OptionsOf<S extends z.ZodType> = Omit<z.output<S>, 'environment'>;
/** The file that the answer of all projects is written to as it is printed, absolute; none when it gives nothing. */
type AnswerFile<S extends z.ZodType> = (options: OptionsOf<S>) => string | undefined;
/** What a verb does with the projects of one tier, and how its answer is shown. */
export type Tier<O, T, P> = { readonly verb: (request: VerbRequest<O, P>) => Promise<Answer<T>>; readonly report: Report<T, O, P> };
/** What the executors know of a request. */
type Asked<O> = Omit<VerbRequest<O>, 'ask' | 'preview'>;
type Raw = Record<string, unknown>;

/**
 * A verb, imported bit by bit: its options first; what it does with containers and what it does with applications (where they have it)
 * only once the options are known to be right, and there are such projects.
 */
export type LoadVerb<S extends z.ZodType<Options>, T, P, U = never, Q = never> = {
  options(): Promise<{ readonly schema: S; readonly answerFile?: AnswerFile<S> }>;
  data(): Promise<Tier<OptionsOf<S>, T, P>>;
  app?(): Promise<Tier<OptionsOf<S>, U, Q>>;
};

/** The executor of a verb that only asks, for one project. */
export async function runVerb<S extends z.ZodType<Options>, T, P, U, Q>(
  load: LoadVerb<S, T, P, U, Q>,
  raw: Raw,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  // Nx puts what a task of its own process says on stderr into its stdout, in the middle of the JSON.
  const result = await run(load, [{ task: taskOf(context), raw }], context, () => {});
  print(result);
  return { success: result.success };
}

/** The same for all projects of a run at once: over one connection, with one table. */
export async function runVerbBatch<S extends z.ZodType<Options>, T, P, U, Q>(
  load: LoadVerb<S, T, P, U, Q>,
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

const toStderr = (line: string) => console.error(line);

async function run<S extends z.ZodType<Options>, T, P, U, Q>(
  load: LoadVerb<S, T, P, U, Q>,
  tasks: readonly { task: NxTask; raw: Raw }[],
  context: ExecutorContext,
  printBesideJson: (line: string) => void = toStderr,
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
    const files = readerOf(context.root);
    refuseIfNoPart(context, first.environment, files);
    const { environment: _, ...options } = withOutFile(context.root, first.options);
    asJson = isJson(options);
    const isApp = ({ project }: NxTask) => context.projectsConfigurations.projects[project]?.tags?.includes('mooring:app') ?? false;
    const projects = (ofApps: boolean) => tasks.flatMap(({ task }) => (isApp(task) === ofApps ? [task.project] : []));
    const { worldOf } = await import('../../world/index.ts');
    const common = {
      root: context.root,
      environment: first.environment,
      world: worldOf(context.root, files),
      options,
      signal: interruption.signal,
      print: asJson ? printBesideJson : toStderr,
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
  const out = outOf(options);
  return out === undefined ? options : { ...options, out: outFile(root, out) };
}

/** Each tier for its own projects, their answers one below the other. */
async function both<S extends z.ZodType<Options>, T, P, U, Q>(
  load: LoadVerb<S, T, P, U, Q>,
  answerFile: AnswerFile<S>,
  ofData: Asked<OptionsOf<S>>,
  ofApps: Asked<OptionsOf<S>>,
): Promise<Ended> {
  const isPrinted = answerFile(ofData.options) !== undefined;
  if (ofApps.projects.length === 0 || load.app === undefined) return perform(await load.data(), ofData, isPrinted);
  if (ofData.projects.length === 0) return perform(await load.app(), ofApps, isPrinted);
  if (!isPrinted && outOf(ofData.options) !== undefined)
    throw new InputError('--out is one file: containers and applications would both be written to it', {
      next: 'name the projects of one kind',
    });
  const [data, app] = await Promise.all([load.data(), load.app()]);
  const results = await Promise.all([attempt(data, ofData, isPrinted), attempt(app, ofApps, isPrinted)]);
  const json = isJson(ofData.options);
  // What is wrong with a file that both read is told once. Why a tier gives no answer is no JSON.
  const outputs = new Set(results.flatMap(({ output, isError }) => (json && isError ? [] : [output])));
  const reasons = new Set(results.flatMap(({ output, isError }) => (json && isError ? [output] : [])));
  for (const reason of reasons) toStderr(reason);
  return {
    success: results.every(({ success }) => success),
    output: [...outputs].join(json ? '\n' : '\n\n'),
    failed: results.flatMap(({ failed = [] }) => failed),
  };
}

async function attempt<O extends object, T, P>(tier: Tier<O, T, P>, request: Asked<O>, isPrinted: boolean): Promise<Ended> {
  const result: Ended = await perform(tier, request, isPrinted).catch((error: unknown) => ({
    success: error instanceof NotPartError,
    output: showError(error),
    isError: true,
  }));
  return result.success ? result : { failed: request.projects, ...result };
}

/** Asks the verb, writes the file of `--out` unless it gets what is printed, and shows the answer. */
async function perform<O extends object, T, P>(
  { verb, report }: Tier<O, T, P>,
  request: Asked<O>,
  isPrinted: boolean,
): Promise<Omit<Rendered, 'beside'>> {
  const { options } = request;
  const answer = await verb({
    ...request,
    ask: terminalAsk(),
    preview: (data, clean) => toStderr(clean.text(report.preview?.(data) ?? '')),
  });
  const out = outOf(options);
  if (out !== undefined && !isPrinted) await writeOut(out, fileContent(report, answer), report.mode);
  const { beside, ...result } = rendered(report, answer, options, isJson(options));
  for (const line of beside) toStderr(line);
  return result;
}

function outOf(options: object): string | undefined {
  return 'out' in options && typeof options.out === 'string' ? options.out : undefined;
}
