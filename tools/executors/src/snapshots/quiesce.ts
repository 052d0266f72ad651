import { type Command, type CommandResult, showCommand } from '../engine/command.ts';
import { lastLines, MooringError } from '../engine/errors.ts';

/** What is done in one container around a cut. */
export type QuiesceHook = {
  readonly instance: string;
  readonly before: readonly Command[];
  readonly after: readonly Command[];
  /** For each command. */
  readonly timeoutMs: number;
};

/** Commands for one container, in sequence. */
export type InstanceCommands = { readonly instance: string; readonly commands: readonly Command[] };

/**
 * Runs the parts of all containers at once, in one round trip. A part's answer: its results, where the first command that fails is the
 * last that has one, or why the container could not be asked.
 */
export type RunInInstances = (parts: readonly InstanceCommands[]) => Promise<readonly (readonly CommandResult[] | Error)[]>;

/**
 * Cuts with the services made quiet: `before` in all containers at once, then the cut, then `after`. `after` always runs
 * where `before` was tried, whatever failed in between. A hook only makes recovery cheaper, a crash-consistent cut is whole
 * without it; so a failing one is a warning, unless `onFailure` says that it stops the cut.
 *
 * @returns what `cut` gave, and a sentence for each hook that failed
 * @throws what `cut` throws; MooringError when a `before` failed and `onFailure` is `error`
 */
export async function quiesced<T>(
  hooks: readonly QuiesceHook[],
  runInInstances: RunInInstances,
  onFailure: 'warning' | 'error',
  cut: () => Promise<T>,
): Promise<{ readonly value: T; readonly warnings: readonly string[] }> {
  const run = (which: 'before' | 'after') => runHooks(hooks, which, runInInstances);
  const failedBefore = await run('before');
  let value: T;
  try {
    if (failedBefore.length > 0 && onFailure === 'error') {
      throw new MooringError(`not cut: ${failedBefore.join('; ')}`, {
        next: 'fix the service, or let it be cut all the same: "quiesce": "warning" in the environment\'s file',
      });
    }
    value = await cut();
  } catch (error) {
    const failedAfter = await run('after');
    if (error instanceof MooringError && failedAfter.length > 0)
      error.detail.next = [error.detail.next, ...failedAfter].filter(Boolean).join('; ');
    throw error;
  }
  return { value, warnings: [...failedBefore, ...(await run('after'))] };
}

/** One side of all hooks. @returns a sentence for each that failed, in whatever way: none must keep the `after` of others from running */
async function runHooks(hooks: readonly QuiesceHook[], which: 'before' | 'after', runInInstances: RunInInstances): Promise<string[]> {
  const tried = hooks.filter((hook) => hook[which].length > 0);
  if (tried.length === 0) return [];
  const parts = tried.map((hook) => ({
    instance: hook.instance,
    commands: hook[which].map((command) => limited(command, hook.timeoutMs)),
  }));
  const answers = await runInInstances(parts).catch((error: unknown) => tried.map(() => error));
  return tried.flatMap((hook, i) => failureOf(answers[i], hook).map((sentence) => `${hook.instance}, ${which} the cut: ${sentence}`));
}

function limited(command: Command, timeoutMs: number): Command {
  return { ...command, timeoutMs: Math.min(command.timeoutMs ?? timeoutMs, timeoutMs) };
}

function failureOf(answer: unknown, { timeoutMs }: QuiesceHook): string[] {
  if (!Array.isArray(answer)) return [answer instanceof Error ? answer.message : String(answer)];
  const failed = (answer as readonly CommandResult[]).find(({ code }) => code !== 0);
  if (failed === undefined) return [];
  const how =
    failed.code === 124
      ? `took longer than ${timeoutMs} ms`
      : `failed (exit code ${failed.code}): ${lastLines(failed.stderr || failed.stdout, 2)}`;
  return [`${showCommand(failed.command)} ${how}`];
}
