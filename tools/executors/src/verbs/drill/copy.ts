import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, type CommandResult, type Host, read } from '../../engine/command.ts';
import { commandFailed, lastLines, MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Census, Desired, Health } from '../../engine/service.ts';
import { reasonOf } from '../../engine/stopped.ts';
import { INSTANCES } from '../../shared/backends.ts';
import type { Invocation } from '../../shared/run.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import type { DrillPlan } from './plan.ts';

const LOG_LINES = 15;

/** Commands of the host, one after the other; nothing more is begun once the run is to end. */
export async function doAll(run: Invocation, host: Host, commands: readonly Command[], failure: string): Promise<void> {
  for (const command of commands) {
    stopIfAborted(run);
    const [result] = await host.run([command]);
    if (result === undefined) throw new MooringError(`${failure}: the host gave no answer`);
    if (result.code === 0) continue;
    throw commandFailed(result, failure);
  }
}

/** Asks until the service is healthy, its unit has failed, or the time is over. */
export async function untilHealthy(
  run: Invocation,
  instance: Host,
  target: PreparedContainer,
  desired: Desired<unknown>,
  seconds: number,
  clock: () => number,
): Promise<Health> {
  const end = clock() + seconds;
  const probe = target.service.health.inside(desired);
  for (;;) {
    stopIfAborted(run);
    const [asked, units] = await instance.run([probe.command, INSTANCES.drills.failedUnits(target.service.unit)]);
    try {
      return probe.parse(asked as CommandResult);
    } catch (error) {
      const gone = mustSucceed(units as CommandResult, 'systemd did not report its units').stdout.trim();
      if (gone === '' && clock() < end) {
        await sleep(500);
        continue;
      }
      const why = gone === '' ? `it was not healthy within ${seconds} s` : `its unit ${gone.split('\n').join(', ')} has failed`;
      throw await withLog(instance, target, new MooringError(`${target.service.name} did not come up: ${why}`, {}, error), error);
    }
  }
}

/** What the service holds; nothing where it cannot count. @throws MooringError with the last lines of its log */
export async function count(
  run: Invocation,
  instance: Host,
  target: PreparedContainer,
  desired: Desired<unknown>,
): Promise<Census | undefined> {
  stopIfAborted(run);
  const fact = target.service.census?.(desired);
  if (fact === undefined) return undefined;
  const [result] = await instance.run([fact.command]);
  try {
    return fact.parse(result as CommandResult);
  } catch (error) {
    const message = `${target.service.name} runs, but what it holds could not be read: ${error instanceof Error ? error.message : String(error)}`;
    throw await withLog(instance, target, new MooringError(message, error instanceof MooringError ? error.detail : {}, error), error);
  }
}

/** The error with the last words of the probe and of the unit's journal. */
async function withLog(instance: Host, target: PreparedContainer, error: MooringError, cause: unknown): Promise<MooringError> {
  const command = read(['journalctl', '-u', target.service.unit, '-n', String(LOG_LINES), '--no-pager', '-o', 'cat'], {
    timeoutMs: 30_000,
  });
  const said = await instance.run([command]).then(
    ([result]) => (result?.code === 0 ? result.stdout.trim() : ''),
    () => '',
  );
  const own =
    cause instanceof MooringError ? [cause.message, cause.detail.stderr ?? ''] : [cause instanceof Error ? cause.message : String(cause)];
  const lines = [...own, said === '' ? '' : `last log lines of ${target.service.unit}:`, lastLines(said, LOG_LINES)].filter(
    (text) => text !== '',
  );
  error.detail.stderr = lines.join('\n');
  return error;
}

/** Takes the copy away. @throws CommandError when it stays */
export async function removeNow(host: Host, { remove }: Pick<DrillPlan, 'remove'>, name: string): Promise<void> {
  const [result] = await host.run([remove]);
  mustSucceed(result as CommandResult, `${name} could not be removed`, { step: 'drill', next: `incus list ${name} --all-projects` });
}

function stopIfAborted({ signal }: Invocation): void {
  if (!signal.aborted) return;
  throw signal.reason instanceof MooringError ? signal.reason : new MooringError(`the drill was ended: ${reasonOf(signal)}`);
}
