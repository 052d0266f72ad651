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

/** Runs commands in a container, in sequence: the first that fails is the last that has a result. */
export type RunInGuest = (instance: string, commands: readonly Command[]) => Promise<readonly CommandResult[]>;

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
  runInGuest: RunInGuest,
  onFailure: 'warning' | 'error',
  cut: () => Promise<T>,
): Promise<{ readonly value: T; readonly warnings: readonly string[] }> {
  const tried = hooks.filter(({ before, after }) => before.length > 0 || after.length > 0);
  const run = (which: 'before' | 'after') => Promise.all(tried.map((hook) => runHook(hook, which, runInGuest)));
  const failedBefore = (await run('before')).flat();
  let value: T;
  try {
    if (failedBefore.length > 0 && onFailure === 'error') {
      throw new MooringError(`not cut: ${failedBefore.join('; ')}`, {
        next: 'mend the service, or let it be cut all the same: "quiesce": "warning" in the environment\'s file',
      });
    }
    value = await cut();
  } catch (error) {
    const failedAfter = (await run('after')).flat();
    if (error instanceof MooringError && failedAfter.length > 0)
      error.detail.next = [error.detail.next, ...failedAfter].filter(Boolean).join('; ');
    throw error;
  }
  return { value, warnings: [...failedBefore, ...(await run('after')).flat()] };
}

/** One container's hook. @returns a sentence if it failed, in whatever way: it must not keep the others' `after` from running */
async function runHook(hook: QuiesceHook, which: 'before' | 'after', runInGuest: RunInGuest): Promise<string[]> {
  const commands = hook[which].map((command) => ({ ...command, timeoutMs: Math.min(command.timeoutMs ?? hook.timeoutMs, hook.timeoutMs) }));
  if (commands.length === 0) return [];
  const who = `${hook.instance}, ${which} the cut`;
  try {
    const failed = (await runInGuest(hook.instance, commands)).find(({ code }) => code !== 0);
    if (failed === undefined) return [];
    const how =
      failed.code === 124
        ? `took longer than ${hook.timeoutMs} ms`
        : `failed (exit code ${failed.code}): ${lastLines(failed.stderr || failed.stdout, 2)}`;
    return [`${who}: ${showCommand(failed.command)} ${how}`];
  } catch (error) {
    return [`${who}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
