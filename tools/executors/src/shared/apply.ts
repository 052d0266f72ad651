import type { Change, PutArtifact } from '../engine/change.ts';
import type { Command, CommandResult, Host } from '../engine/command.ts';
import { AGAIN, commandFailed, HostError, MooringError } from '../engine/errors.ts';
import { reasonOf, stopped } from '../engine/stopped.ts';

/** A binary of the store, ready to be put in place. */
export type StoredArtifact = { readonly path: string; readonly sha256: string };

/** What {@link applyChanges} needs of the world. */
export type ApplyContext = {
  /** Where the commands run. */
  readonly host: Host;
  /** Gives a binary by its name, building or fetching it if need be. */
  readonly obtain: (artifact: string) => Promise<StoredArtifact>;
  /** Once aborted, nothing more is begun. */
  readonly signal: AbortSignal;
  /** Told each change as it begins. */
  readonly begin: (change: Change) => void;
  /** Told each change of which something has been done, or may have been: once, in order. */
  readonly touched?: (change: Change) => void;
};

/**
 * Applies changes in order and stops at the first failure. Neighbouring commands travel together: a stage without
 * artifacts is one round trip.
 *
 * @throws CommandError naming the change, the command and its last words; HostError when the answer was lost
 */
export async function applyChanges(changes: readonly Change[], context: ApplyContext): Promise<void> {
  const touched = new Set<Change>();
  const touch = (change: Change) => {
    if (touched.has(change)) return;
    touched.add(change);
    context.touched?.(change);
  };
  for (const part of parts(changes)) {
    if (context.signal.aborted) throw stopped(context.signal);
    for (const change of part.begins) context.begin(change);
    try {
      await applyPart(part, context, touch);
    } catch (error) {
      if (error instanceof HostError) await toldToStop(context.signal);
      throw context.signal.aborted ? stoppedWithin(context.signal, error) : error;
    }
  }
}

async function applyPart(part: Part, { host, obtain, signal }: ApplyContext, touch: (change: Change) => void): Promise<void> {
  if ('put' in part) {
    const { path, mode, owner, artifact } = part.put;
    const stored = await obtain(artifact);
    if (signal.aborted) throw stopped(signal);
    touch(part.change);
    return host.putFile({ source: stored.path, sha256: stored.sha256, path, mode, owner });
  }
  const results = await host.run(
    part.commands.map(({ command }) => command),
    'sequence',
  );
  for (const { change } of part.commands.slice(0, results.length)) touch(change);
  refuseFailure(results, part.commands);
}

/** The error of a run that was told to stop and could not finish what had begun: who ends nx ends the programs that it started, too. */
function stoppedWithin(signal: AbortSignal, error: unknown): unknown {
  if (!(error instanceof MooringError) || error.message.startsWith('stopped: ')) return error;
  return new MooringError(
    `stopped: ${reasonOf(signal)}, in the middle of a change: ${error.message}`,
    { ...error.detail, next: AGAIN },
    error,
  );
}

/** Waits a moment for the signal: nx ends our children first, and comes to us when they are gone (nx `killProcessTreeGraceful`). */
function toldToStop(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    setTimeout(resolve, 1000);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

type Owned = { readonly command: Command; readonly change: Change };
type Part = { readonly begins: Change[] } & ({ readonly commands: Owned[] } | { readonly put: PutArtifact; readonly change: Change });

/** Cuts the changes where an artifact goes over. */
function parts(changes: readonly Change[]): Part[] {
  const all: Part[] = [];
  for (const change of changes) {
    let begins = [change];
    for (const item of change.commands) {
      const last = all.at(-1);
      if ('artifact' in item) all.push({ begins, put: item, change });
      else if (last !== undefined && 'commands' in last) {
        last.commands.push({ command: item, change });
        last.begins.push(...begins);
      } else all.push({ begins, commands: [{ command: item, change }] });
      begins = [];
    }
  }
  return all;
}

function refuseFailure(results: readonly CommandResult[], asked: readonly Owned[]): void {
  const last = results.at(-1);
  const owner = asked[results.length - 1];
  if (last === undefined || owner === undefined) throw new MooringError('the host ran none of the commands');
  if (last.code === 0 && results.length === asked.length) return;
  throw commandFailed(last, `${owner.change.action} ${owner.change.resource} failed`, {
    next: `fix the cause that stderr names, then ${AGAIN}`,
  });
}
