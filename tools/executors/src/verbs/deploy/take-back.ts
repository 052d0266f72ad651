import type { Change } from '../../engine/change.ts';
import type { Command, CommandResult } from '../../engine/command.ts';
import { commandFailed, MooringError, SafetyError, UnhealthyError } from '../../engine/errors.ts';
import { reveal } from '../../engine/secret.ts';
import { hostFromTransport, type OpenHost } from '../../engine/transport.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { askHealth, placeOf } from '../../shared/instance-look.ts';
import type { Invocation } from '../../shared/run.ts';
import { inStep } from '../../shared/stages.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { showHealth, unitRuns, verified } from '../../shared/verified.ts';

/** Where a deploy failed. */
type Place = {
  readonly run: Invocation;
  readonly host: OpenHost;
  readonly target: PreparedContainer;
  readonly networks: readonly string[];
};

/** How a deploy of one container failed. */
export type Failure = {
  /** The changes of which something has been done, or may have been, oldest first. */
  readonly touched: readonly Change[];
  /** What went wrong. */
  readonly cause: unknown;
  /** Why the service did not work before the first change; nothing where it did. */
  readonly brokenBefore: MooringError | undefined;
  /** Whether a deploy of the container has completed before. */
  readonly deployed: boolean;
};

/** How long the service may need until it works again, in seconds, once what starts it has said that it runs. */
const SECONDS = 60;

/** How long a unit must have run before it is believed that a service works that cannot be asked, in seconds. */
const QUIET_SECONDS = 3;

/**
 * Takes back what a failed deploy has changed in a container, and asks the service again. Only where it worked before: the repair of a
 * broken one must go through. Not stopped by an interruption, for it would leave a mixture.
 *
 * @returns the error to throw: what went wrong, and what runs now
 */
export async function takeBack(place: Place, failure: Failure): Promise<MooringError> {
  const { run, target } = place;
  const cause = inStep(failure.cause, 'configure');
  const { undone, stays } = whatGoesBack(failure.touched);
  const why = whyNot(target, failure, undone);
  if (why !== undefined) return told(cause, why);
  for (const change of undone) run.progress(`${target.project}: taking back: ${change.action} ${change.resource}`);
  try {
    await undo(place, undone);
    const health = await works(place, SECONDS);
    const rest = stays.length === 0 ? '' : `; what stays: ${stays.map(({ action, resource }) => `${action} ${resource}`).join(', ')}`;
    return told(cause, `the former configuration runs again: ${target.service.name} ${health}${rest}`, {
      next: nextAfter(failure.cause),
    });
  } catch (error) {
    return told(cause, await whatRuns(place, error), {
      next: `incus exec local:${target.instance} --project ${target.incus.project} -- journalctl -u '${target.service.unit}' -n 50, on ${target.host}; correct the settings (or revert their commit), then run the same command again`,
    });
  }
}

/** What can be taken back, newest first: everything behind the newest change that nothing undoes. Pure. */
export function whatGoesBack(touched: readonly Change[]): { undone: Change[]; stays: Change[] } {
  const last = touched.findLastIndex(({ undo }) => undo === undefined);
  return { undone: touched.slice(last + 1).reverse(), stays: touched.slice(0, last + 1) };
}

/** The commands that take changes back, given newest first. What several of them bring into force is brought in once. Pure. */
export function undoCommands(undone: readonly Change[]): Command[] {
  const after = undone.toReversed().flatMap(({ afterUndo = [] }) => afterUndo);
  const words = after.map(({ argv, stdin }) => JSON.stringify([argv, stdin === undefined ? null : reveal(stdin)]));
  return [...undone.flatMap(({ undo = [] }) => undo), ...after.filter((_, i) => words.lastIndexOf(words[i] as string) === i)];
}

function whyNot({ instance }: PreparedContainer, { brokenBefore, deployed }: Failure, undone: readonly Change[]): string | undefined {
  if (brokenBefore !== undefined)
    return deployed
      ? `nothing was taken back: ${instance} did not work before this run either (${brokenBefore.message})`
      : `this is the first deploy of ${instance}: there is no former configuration to go back to`;
  if (undone.length === 0) return 'nothing was taken back: the last change has no way back';
  return undefined;
}

/** One that fails keeps none of the others from being done: the more is as it was, the better. @throws what the first failure says */
async function undo({ host, target }: Place, undone: readonly Change[]): Promise<void> {
  const inside = hostFromTransport(INSTANCES.transportInside(host.transport, placeOf(target)));
  const failed: CommandResult[] = [];
  for (let rest = undoCommands(undone); rest.length > 0; ) {
    const results = await inside.run(rest, 'sequence');
    if (results.length === 0) throw new MooringError('the host ran none of the commands');
    failed.push(...results.filter(({ code }) => code !== 0));
    rest = rest.slice(results.length);
  }
  if (failed[0] !== undefined) throw commandFailed(failed[0], 'a command that takes a change back failed');
}

/**
 * Waits until the service works, at most so long. It is asked as the settings say, which it need not take any more: then it counts that its
 * unit has run for a while, for what brought the former files into force has waited for its answer.
 *
 * @returns how it is
 * @throws the last reason why it does not work
 */
async function works({ host, target, networks }: Place, seconds: number): Promise<string> {
  const begin = performance.now();
  for (;;) {
    try {
      const look = await askHealth(host, target, networks);
      return showHealth(await verified(look), look.address);
    } catch (error) {
      const passed = (performance.now() - begin) / 1000;
      if (!(error instanceof UnhealthyError) && passed > QUIET_SECONDS && (await unitRuns(host, target)))
        return 'runs, with the former settings';
      if (passed > seconds) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function whatRuns(place: Place, error: unknown): Promise<string> {
  const { message, detail } = inStep(error, 'taking back');
  const now = await works(place, QUIET_SECONDS + 1).catch((reason: unknown) => `does not work: ${inStep(reason, 'taking back').message}`);
  const words = detail.stderr === undefined ? '' : ` (${detail.stderr.replaceAll('\n', '; ')})`;
  return `taking it back failed too: ${message}${words}; ${place.target.service.name} ${now}`;
}

/** What was refused in the middle tells the way past it; anything else is over with the former configuration. Pure. */
export function nextAfter(cause: unknown): string {
  const refused = cause instanceof SafetyError ? cause.detail.next : undefined;
  return refused ?? 'correct the settings, then run the same command again';
}

/** The cause, with a second line on what became of the container. */
function told(cause: MooringError, outcome: string, more: { next?: string } = {}): MooringError {
  return new MooringError(`${cause.message}\n${outcome}`, { ...cause.detail, ...more }, cause);
}
