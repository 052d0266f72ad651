import type { AuditEntry } from '../../audit/audit.ts';
import { InputError, SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import type { Invocation } from '../../shared/run.ts';
import { chooseBefore, chooseLeft, chooseTo, leftBy, previousRelease } from '../../snapshots/choose.ts';
import { type DeployEntry, deployHistory } from '../../snapshots/history.ts';
import type { Attempt, Goal } from '../../snapshots/rollback.ts';
import type { SnapshotSet } from '../../snapshots/set.ts';
import { showTime, sortableTime } from '../../snapshots/time.ts';
import type { Candidate, RollbackView } from './look.ts';
import type { RollbackOptions } from './options.ts';

/** Where a roll-back goes on one host, and with which containers. */
export type Aim = {
  readonly attempt: Attempt;
  readonly concerned: readonly Candidate[];
  /** The one container that is asked for; nothing for the whole environment. */
  readonly container: string | undefined;
  /** What is to be known beside the plan, a sentence each. */
  readonly notes: readonly string[];
};

/** What all hosts of a roll-back go to together. */
export type Agreed = {
  /** Id of the restore point. */
  readonly set: string;
  /** The run that began it and was killed, on whichever host; nothing where none did. */
  readonly run: string | undefined;
};

/**
 * Finds what the flags mean on one host: a restore point, or what the last roll-back left; and whether an earlier run began it and
 * was killed, or ended it. Pure.
 *
 * @param instances the containers that are asked for; nothing for the whole environment
 * @param now RFC 3339
 * @param agreed what all hosts go to; nothing where this is the only one, or each goes back to what its own last roll-back left
 * @returns a sentence as `done` when there is nothing to do
 * @throws InputError, SafetyError
 */
export function aim(
  view: RollbackView,
  run: Pick<Invocation, 'environment' | 'runId'>,
  options: RollbackOptions,
  instances: readonly string[] | undefined,
  now: string,
  agreed?: Agreed,
): Aim | { readonly done: string } {
  const asked = askedOf(view, instances);
  if (asked.length === 0) throw new InputError(`no container of ${run.environment.name} is there to be rolled back`);
  const container = instances?.join(',');
  const what = options.undo ? 'undo' : 'rollback';
  const { last, unfinished, resumed } = standOf(view, what, container);
  if (resumed !== undefined && agreed !== undefined && resumed.set !== agreed.set) throw interrupted(resumed, run.environment.name);
  const goal = resumed === undefined ? chooseGoal(view, options, asked, unfinished, agreed) : resumeGoal(view, options, asked, resumed);
  const id = goal.kind === 'undo' ? goal.run : goal.set.id;
  if (resumed === undefined && unfinished !== undefined && !options.undo) throw interrupted(unfinished, run.environment.name);
  if (last?.result === 'ok' && last.what === what && last.container === container && !options.again && (options.undo || last.set === id)) {
    const time = showTime(sortableTime(last.time));
    return {
      done: `nothing to do: this was done at ${time} (run ${last.run}), and no deploy has begun since. To do it once more: --again`,
    };
  }
  const before = goal.kind === 'undo' ? undoneRelease(view, goal) : goal.set.release;
  const attempt = { goal, runId: resumed?.run ?? agreed?.run ?? run.runId, now, before };
  const notes = [
    ...(resumed === undefined ? [] : [`finishes the roll-back ${resumed.run}, which was interrupted`]),
    ...leftAlone(goal, asked),
  ];
  return { attempt, concerned: concernedBy(view, goal, asked, unfinished !== undefined), container, notes };
}

/** The containers of a host that are asked for. */
export function askedOf(view: Pick<RollbackView, 'candidates'>, instances: readonly string[] | undefined): Candidate[] {
  return view.candidates.filter(({ target }) => instances?.includes(target.instance) ?? true);
}

/** How far roll-backs came on a host: the last, that if it was killed, and that if it was the same as is asked for now. */
export function standOf(view: Pick<RollbackView, 'audit'>, what: 'rollback' | 'undo', container: string | undefined) {
  const last = lastRollback(view.audit);
  const unfinished = last?.result === 'started' ? last : undefined;
  const resumed = unfinished?.what === what && unfinished.container === container ? unfinished : undefined;
  return { last, unfinished, resumed };
}

/** The restore points that have a part of one of these containers, newest first. */
export function setsOf(view: Pick<RollbackView, 'points'>, asked: readonly Candidate[]): SnapshotSet[] {
  const names = asked.map(({ target }) => target.instance);
  return view.points.sets.filter(({ members }) => members.some(({ instance }) => names.includes(instance)));
}

/** The last entry about a roll-back, if nothing was deployed since. */
function lastRollback(audit: readonly AuditEntry[]): AuditEntry | undefined {
  const last = audit.findLast(({ what }) => what === 'rollback' || what === 'undo' || what === 'deploy');
  return last?.what === 'deploy' ? undefined : last;
}

function chooseGoal(
  view: RollbackView,
  options: RollbackOptions,
  asked: readonly Candidate[],
  unfinished?: AuditEntry,
  agreed?: Agreed,
): Goal {
  const names = asked.map(({ target }) => target.instance);
  const { sets } = view.points;
  if (options.undo) {
    // Killed before it kept anything, it has at most stopped containers and cut the present.
    if (unfinished?.what === 'rollback') return { kind: 'undo', run: unfinished.run, set: leftBy(sets, unfinished.run) };
    const { run, set } = chooseLeft(view.kept, sets, names, failedRuns(view.audit));
    return { kind: 'undo', run, set };
  }
  const history = deployHistory(view.audit);
  const own = setsOf(view, asked);
  const set = own.find(({ id }) => id === agreed?.set) ?? chooseSet(own, history, options);
  const release = previousRelease(set, history);
  return options.inPlace ? { kind: 'in-place', set, release, discard: options.discardNewer } : { kind: 'set', set, release };
}

/** The restore point that `--before` or `--to` names. @throws InputError naming what there is */
export function chooseSet(sets: readonly SnapshotSet[], history: readonly DeployEntry[], options: RollbackOptions): SnapshotSet {
  return (options.before === undefined ? chooseTo(sets, options.to ?? '') : chooseBefore(sets, history, options.before)).set;
}

/** Roll-backs that ended where they began. */
function failedRuns(audit: readonly AuditEntry[]): Set<string> {
  return new Set(audit.flatMap(({ what, result, run }) => ((what === 'rollback' || what === 'undo') && result === 'failed' ? [run] : [])));
}

/** The goal of a run that was killed: what it went to may have left the live datasets with the state that it kept. */
function resumeGoal(view: RollbackView, options: RollbackOptions, asked: readonly Candidate[], begun: AuditEntry): Goal {
  const id = begun.set ?? '';
  if (options.undo) return { kind: 'undo', run: id, set: leftBy(view.points.sets, id) };
  const known = view.points.sets.find((set) => set.id === id) ?? goneWith(view, begun);
  if (known === undefined) return chooseGoal(view, options, asked);
  const meant = options.to ?? options.before ?? '';
  const same = options.to === undefined ? known.release.startsWith(meant) : known.name.startsWith(meant) || meant.startsWith('pre-');
  if (!same) throw interrupted(begun, view.candidates[0]?.target.environment.name ?? '');
  const release = previousRelease(known, deployHistory(view.audit));
  return options.inPlace ? { kind: 'in-place', set: known, release, discard: options.discardNewer } : { kind: 'set', set: known, release };
}

function goneWith(view: RollbackView, begun: AuditEntry): SnapshotSet | undefined {
  const state = view.kept.find(({ mark }) => mark.run === begun.run);
  if (state === undefined) return undefined;
  const { before, to, environment, time } = state.mark;
  const cutAt = sortableTime(time);
  return { id: begun.set ?? '', name: to, release: before, environment, tool: '', intended: [], members: [], missing: [], cutAt };
}

function interrupted(begun: AuditEntry, environment: string): SafetyError {
  const what = begun.container ?? 'the whole environment';
  return new SafetyError(`a roll-back of ${what} (run ${begun.run}, back to before ${begun.release}) was interrupted`, {
    next: `the same command again finishes it, ${nxRun('rollback', { environment }, '--undo')} takes it back`,
  });
}

function undoneRelease(view: RollbackView, goal: Goal & { kind: 'undo' }): string {
  const state = view.kept.find(({ mark }) => mark.run === goal.run);
  const release = state?.mark.before ?? goal.set?.release ?? view.audit.findLast(({ run }) => run === goal.run)?.release;
  if (release === undefined) throw new SafetyError(`nothing tells which release the roll-back ${goal.run} was about`);
  return release;
}

/** The containers that it is about: those that have a part in it, and those that an interrupted run may have stopped. */
function concernedBy(view: RollbackView, goal: Goal, asked: readonly Candidate[], interruptedBefore: boolean): Candidate[] {
  return asked.filter(({ target, instance }) => {
    if (goal.kind !== 'undo') return existedThen(goal.set, target.instance);
    return (
      (interruptedBefore && instance.status === 'Stopped') ||
      view.kept.some(({ mark }) => mark.run === goal.run && mark.instance === target.instance) ||
      (goal.set?.members.some((member) => member.instance === target.instance && member.keepsPresent === true) ?? false)
    );
  });
}

/** Containers that were not there when the set was cut: they stay as they are, which must be said. */
function leftAlone(goal: Goal, asked: readonly Candidate[]): string[] {
  if (goal.kind === 'undo') return [];
  const names = asked.map(({ target }) => target.instance).filter((name) => !existedThen(goal.set, name));
  return names.length === 0 ? [] : [`left as they are, because they were not there then: ${names.join(', ')}`];
}

function existedThen(set: SnapshotSet, instance: string): boolean {
  return set.intended.length === 0 || set.intended.some((name) => name === instance || name.startsWith(`${instance}/`));
}
