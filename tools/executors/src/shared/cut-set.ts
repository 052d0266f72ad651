import type { Command, CommandResult, Host } from '../engine/command.ts';
import { commandFailed, MooringError, SafetyError } from '../engine/errors.ts';
import { nxRun } from '../engine/nx-command.ts';
import { byBackend, type Cut, type SnapshotBackend } from '../snapshots/backend.ts';
import { notOneMoment } from '../snapshots/moment.ts';
import { shortName } from '../snapshots/name.ts';
import { memberName, type RestorePoints, type SnapshotSet, type Volume } from '../snapshots/set.ts';
import { secondsBetween } from '../snapshots/time.ts';
import { BACKENDS } from './backends.ts';
import { parseRestorePoints, restorePointCommands } from './volumes.ts';

/** What is to be cut. Its name is from `decide`, its id is the run's. */
export type CutRequest = Omit<Cut, 'members'> & {
  /** Everything that exists; see `coverage`. */
  readonly volumes: readonly Volume[];
  /** What must be on the host before the cut, in the same round trip: the audit log's entry that the deploy has started. */
  readonly first?: readonly Command[];
};

export type CutReport = {
  readonly set: SnapshotSet;
  /** What is there now, the new set included. */
  readonly points: RestorePoints;
  /** What was done, a sentence each. */
  readonly sentences: readonly string[];
};

/**
 * Cuts a set and proves it by reading it again, in one round trip. A second one follows only a failure, to tell what was
 * cut before it. What was cut then stays: to destroy is no way to fix a failure, each part is a true restore point of
 * its container, its mark says what is missing, and prune takes it away in time.
 *
 * With `--batch=false` two processes of one run may come to their first change at the same moment: one cuts, the other
 * finds the names taken by their own set, or the instance busy with it, and waits until that is whole.
 *
 * @throws CommandError when a command failed; SafetyError when what was read again is not a whole set
 */
export async function cutSet(host: Host, request: CutRequest, pause = sleep): Promise<CutReport> {
  const { mark, volumes, first = [] } = request;
  if (volumes.length === 0) throw new RangeError('there is nothing to cut');
  const cut = [...first.map((command) => ({ command, backend: undefined })), ...cutCommands(request)];
  const reread = rereadCommands(volumes);
  const results = await host.run([...cut.map(({ command }) => command), ...reread.commands], 'sequence');
  const failed = results.find(({ code }, i) => i < cut.length && code !== 0);
  if (failed !== undefined) {
    const failure = { failed, backend: cut[results.indexOf(failed)]?.backend };
    const cutBeside = refusal(failure) === undefined ? undefined : await cutByThisRun(host, request, failure, pause);
    if (cutBeside !== undefined) return cutBeside;
    throw await cutFailed(host, request, failure);
  }
  const points = reread.parse(results.slice(cut.length), mark.environment);
  const set = findCut(points, request);
  if (set === undefined) throw notProved(host, request, 'it is not there when read again');
  requireWhole(host, request, set);
  return { set, points, sentences: describe(set) };
}

/** How long another process of this run may take to cut what it has begun, in seconds. */
const CUT_SECONDS = 60;

/** A command that failed, and whose it is; nobody's where it only came before the cut. */
type Failure = { readonly failed: CommandResult; readonly backend: SnapshotBackend | undefined };

function cutCommands(request: CutRequest) {
  const { volumes } = request;
  return byBackend(BACKENDS, volumes).flatMap(({ backend, own }) =>
    backend.cut(own, { ...request, members: volumes }).map((command) => ({ command, backend })),
  );
}

function refusal({ failed, backend }: Failure) {
  return backend?.refusal(failed);
}

/** The set, once another process of this run has cut it whole; nothing when the name, or the snapshot that is being made, is somebody else's. */
async function cutByThisRun(host: Host, request: CutRequest, failure: Failure, pause: typeof sleep): Promise<CutReport | undefined> {
  const reread = rereadCommands(request.volumes);
  for (let second = 0; second < CUT_SECONDS; second++) {
    const points = reread.parse(await host.run(reread.commands), request.mark.environment);
    const set = findCut(points, request);
    if (set === undefined && refusal(failure) === 'taken') return undefined;
    if (set?.missing.length === 0) return { set, points, sentences: [`${shortName(set.name)} was cut by another process of this run`] };
    await pause(1000);
  }
  return undefined;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Reads the restore points again, in one batch that also may stand at the end of a sequence. */
function rereadCommands(volumes: readonly Volume[]) {
  const own = restorePointCommands(volumes);
  const again = byBackend(BACKENDS, volumes).flatMap(({ backend, own: its }) =>
    backend.listInstances(its).map((command) => ({ command, backend })),
  );
  return {
    commands: [...own, ...again.map(({ command }) => command)],
    parse(results: readonly CommandResult[], environment: string): RestorePoints {
      if (results.length < own.length + again.length) {
        const last = results.at(-1);
        if (last === undefined) throw new MooringError('the host gave no answer when the restore points were read again');
        throw commandFailed(last, 'the restore points could not be read again');
      }
      const instances = again.flatMap(({ backend }, i) => backend.parseInstances(results[own.length + i] as CommandResult));
      return parseRestorePoints(volumes, environment, results.slice(0, own.length), instances);
    },
  };
}

function findCut(points: RestorePoints, { name, mark }: CutRequest): SnapshotSet | undefined {
  return points.sets.find((set) => set.name === name && set.id === mark.id);
}

function requireWhole(host: Host, request: CutRequest, set: SnapshotSet): void {
  if (set.missing.length > 0) throw notProved(host, request, `it has no snapshot of ${set.missing.join(', ')} that is proved to be ours`);
  for (const { backend, own } of byBackend(BACKENDS, set.members)) {
    const doubt = backend.doubt(own);
    if (doubt !== undefined) throw notProved(host, request, doubt);
  }
}

function notProved(host: Host, { name, mark }: CutRequest, because: string): SafetyError {
  return new SafetyError(`${name} is not a restore point: ${because}. Nothing else was changed.`, {
    host: host.name,
    step: 'snapshot',
    page: 'restorePoints',
    next: `run the same command again; if it stays: ${nxRun('status', { environment: mark.environment })}`,
  });
}

/** The error for a cut that failed, with what was cut before it. */
async function cutFailed(host: Host, request: CutRequest, failure: Failure): Promise<MooringError> {
  const message = `could not cut the restore point ${request.name}; nothing else was changed`;
  const error = (failure.backend?.failed ?? commandFailed)(failure.failed, message);
  const exists = refusal(failure) === 'taken' ? 'something else has made a snapshot of that name meanwhile; ' : '';
  const there = await whatWasCut(host, request);
  return error.with({
    host: host.name,
    step: 'snapshot',
    page: 'restorePoints',
    next: `${exists}${there}. Fix the cause, then run the same command again: it cuts a new one`,
  });
}

async function whatWasCut(host: Host, request: CutRequest): Promise<string> {
  try {
    const reread = rereadCommands(request.volumes);
    const set = findCut(reread.parse(await host.run(reread.commands), request.mark.environment), request);
    return set === undefined
      ? 'nothing was cut'
      : `the snapshots of ${set.members.map(memberName).join(', ')} are kept; ${set.missing.join(', ')} has none`;
  } catch (error) {
    return `what was cut before that could not be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

function describe(set: SnapshotSet): string[] {
  const apart = set.members.flatMap(({ dataset, cutAt }) => (dataset === undefined ? [cutAt] : [])).sort();
  const [begin, end] = [apart[0], apart.at(-1)];
  const seconds = begin === undefined || end === undefined ? undefined : secondsBetween(begin, end);
  return [`cut ${shortName(set.name)} of ${set.members.map(memberName).join(', ')}`, ...notOneMoment(set.members, seconds)];
}
