import { MooringError, NotPartError, ProblemsError, showError } from '../../engine/errors.ts';
import type { Redactor } from '../../engine/redactor.ts';
import { reasonOf } from '../../engine/stopped.ts';
import type { StepResult, StepTask } from '../../shared/request.ts';

/** The steps of a run, performed by those who know what they mean. */
export type Steps<T> = {
  /** Performs one task. @returns what to tell the user @throws MooringError with where it happened */
  step(task: T): Promise<string>;
  /** Something for the audit log. */
  note(text: string): void;
  /** Writes down how the run ended, and gives back what it holds. @returns a summary for the user */
  end(success: boolean): Promise<string>;
};

/**
 * Walks the tasks of a run in the order of their edges, those that do not depend on each other at the same time, and
 * yields each result as it is there. Nx enforces no order inside a batch.
 */
async function* walk<T extends StepTask<string>>(steps: Steps<T>, tasks: readonly T[], clean: Redactor): AsyncGenerator<StepResult> {
  const running = new Map<string, Promise<StepResult>>();
  const begin = (task: T): Promise<StepResult> => {
    const known = running.get(task.id);
    if (known !== undefined) return known;
    const result = attempt(steps, task, clean, () => Promise.all(tasks.filter(({ id }) => task.dependsOn.includes(id)).map(begin)));
    running.set(task.id, result);
    return result;
  };
  for (const task of tasks) void begin(task);
  const results: StepResult[] = [];
  const waiting = new Map(running);
  while (waiting.size > 0) {
    const result = await Promise.race(waiting.values());
    waiting.delete(result.id);
    results.push(result);
    // The last result is held back until the run is written down and its lease is given back: nx may end us after it.
    if (waiting.size > 0) yield { ...result, output: clean.text(result.output) };
  }
  const last = results.at(-1);
  if (last === undefined) return;
  yield await ended(steps, results, last, clean);
}

async function ended<T>(steps: Steps<T>, results: readonly StepResult[], last: StepResult, clean: Redactor): Promise<StepResult> {
  try {
    const summary = await steps.end(results.every(({ success }) => success));
    return { ...last, output: clean.text(`${last.output}\n${summary}`) };
  } catch (error) {
    return { ...last, success: false, output: clean.text(`${last.output}\n${showError(clean.error(error))}`) };
  }
}

async function attempt<T extends StepTask<string>>(
  steps: Steps<T>,
  task: T,
  clean: Redactor,
  dependencies: () => Promise<StepResult[]>,
): Promise<StepResult> {
  // A task begins after its caller has entered it in the list: two that depend on it must find the same one.
  await Promise.resolve();
  const failed = (await dependencies()).filter(({ success }) => !success);
  if (failed.length > 0)
    return { id: task.id, success: false, output: `${task.id}: not run, because ${failed.map(({ id }) => id).join(', ')} failed` };
  try {
    return { id: task.id, success: true, output: await steps.step(task) };
  } catch (thrown) {
    // Before its lines are indented: a secret of several lines would not be found any more.
    const error = clean.error(thrown);
    if (!(error instanceof MooringError || error instanceof ProblemsError)) steps.note('internal error');
    steps.note(`${task.id} failed: ${error instanceof Error ? error.message : String(error)}`);
    return { id: task.id, success: false, output: `${task.id} failed: ${showError(error)}` };
  }
}

/** The results of a run that could not begin: every task fails, the first one with the reason. */
function* notBegun<T extends StepTask<string>>(tasks: readonly T[], error: unknown): Generator<StepResult> {
  for (const [i, { id }] of tasks.entries())
    yield { id, success: false, output: i === 0 ? showError(error) : `${id}: not run, for the same reason as ${tasks[0]?.id}` };
}

/** The results of tasks that are not part of the environment. */
function* notPart<T extends StepTask<string>>(tasks: readonly T[], environment: string): Generator<StepResult> {
  for (const { id, project } of tasks) yield { id, success: true, output: `${project}: not part of ${environment}` };
}

/** What both tiers' runs have for their steps. */
type StepRun = {
  readonly signal: AbortSignal;
  readonly clean: Redactor;
  progress(line: string): void;
  close(): Promise<void>;
};

/**
 * Opens a run, walks its tasks, and closes it. Nothing is thrown: where the run cannot be opened, every task has a result that says so.
 *
 * @param stepsOf what the run's tasks mean
 */
export async function* perform<T extends StepTask<string>, R extends StepRun>(
  { tasks, environment }: { readonly tasks: readonly T[]; readonly environment: string },
  open: () => Promise<R>,
  stepsOf: (run: R) => Steps<T>,
): AsyncGenerator<StepResult> {
  let run: R;
  try {
    run = await open();
  } catch (error) {
    yield* error instanceof NotPartError ? notPart(tasks, environment) : notBegun(tasks, error);
    return;
  }
  // At once: what has begun may take longer than nx waits for us.
  run.signal.addEventListener('abort', () => run.progress(`stopping: ${reasonOf(run.signal)}; nothing more is begun`), { once: true });
  try {
    yield* walk(stepsOf(run), tasks, run.clean);
  } finally {
    await run.close();
  }
}
