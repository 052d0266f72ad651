import { InputError, SafetyError } from '../../engine/errors.ts';
import type { Invocation } from '../../shared/run.ts';
import { type EnvironmentSet, findSet, splitElsewhere } from '../../snapshots/environment-set.ts';
import { deployHistory } from '../../snapshots/history.ts';
import { shortName } from '../../snapshots/name.ts';
import type { SnapshotSet } from '../../snapshots/set.ts';
import { type Agreed, type Aim, aim, askedOf, chooseSet, setsOf, standOf } from './aim.ts';
import type { RollbackView } from './look.ts';
import type { RollbackOptions } from './options.ts';

/** A host that has something to do, and what. */
type Aimed = { readonly view: RollbackView; readonly aim: Aim };

/**
 * Finds what the flags mean: one goal for all hosts, which each must have that had containers when it was cut. Pure.
 *
 * @param instances the containers that are asked for; nothing for the whole environment
 * @param now RFC 3339
 * @returns the hosts that have something to do, and a sentence for each that has done it already
 * @throws InputError, SafetyError
 */
export function aimAll(
  views: readonly RollbackView[],
  run: Pick<Invocation, 'environment' | 'runId'>,
  options: RollbackOptions,
  instances: readonly string[] | undefined,
  now: string,
): { readonly aimed: readonly Aimed[]; readonly done: readonly string[] } {
  const concerned = views.filter((view) => askedOf(view, instances).length > 0);
  if (concerned.length === 0) throw new InputError(`no container of ${run.environment.name} is there to be rolled back`);
  const aims =
    concerned.length === 1 || options.undo
      ? each(concerned, (view) => aim(view, run, options, instances, now))
      : together(concerned, run, options, instances, now);
  return {
    aimed: aims.flatMap(({ view, result }) => ('done' in result ? [] : [{ view, aim: result }])),
    done: aims.flatMap(({ view, result }) => ('done' in result ? [`${view.name}: ${result.done}`] : [])),
  };
}

type Aims = { readonly view: RollbackView; readonly result: Aim | { readonly done: string } }[];

/** Each host for itself. Where the last roll-back left nothing on one, the others go on. */
function each(views: readonly RollbackView[], aimAt: (view: RollbackView) => Aim | { readonly done: string }): Aims {
  const refused: unknown[] = [];
  const aims = views.flatMap((view) => {
    try {
      return [{ view, result: aimAt(view) }];
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused.push(error);
      return [];
    }
  });
  if (aims.length === 0) throw refused[0];
  return aims;
}

function together(
  views: readonly RollbackView[],
  run: Pick<Invocation, 'environment' | 'runId'>,
  options: RollbackOptions,
  instances: readonly string[] | undefined,
  now: string,
): Aims {
  const resumedOn = (view: RollbackView) => standOf(view, 'rollback', instances?.join(',')).resumed;
  const begun = views.flatMap((view) => resumedOn(view) ?? []);
  const [first] = begun;
  const agreed: Agreed = { set: first?.set ?? chooseOnAll(views, options, instances).id, run: first?.run };
  const set = findSet(
    views.map(({ name, points }) => ({ host: name, points })),
    agreed.set,
  );
  const has = (view: RollbackView) => set?.parts.some(({ host }) => host === view.name) ?? false;
  // Where a killed run has begun, what it goes to may be where it put it.
  const lacking = views.filter((view) => !has(view) && resumedOn(view) === undefined);
  if (set !== undefined && first === undefined)
    for (const view of lacking) refuseIncomplete(set, view, views, instances, run.environment.name);
  const there = views.filter((view) => !lacking.includes(view));
  const left = lacking.flatMap((view) => askedOf(view, instances)).map(({ target }) => target.instance);
  const notes = left.length === 0 ? [] : [`left as they are, because they were not there then: ${left.join(', ')}`];
  return there.map((view, i) => {
    const result = aim(view, run, options, instances, now, agreed);
    return { view, result: 'done' in result || i > 0 ? result : { ...result, notes: [...result.notes, ...notes] } };
  });
}

/** The restore point that the flags name: one that is whole over the hosts before one that is not. @throws InputError */
function chooseOnAll(views: readonly RollbackView[], options: RollbackOptions, instances: readonly string[] | undefined): SnapshotSet {
  const choices = (whole: boolean) =>
    views.map((view) => {
      const sets = setsOf(view, askedOf(view, instances));
      const wanted = whole ? sets.filter(({ id }) => views.every((one) => one.points.sets.some((set) => set.id === id))) : sets;
      return tried(() => chooseSet(wanted, deployHistory(view.audit), options));
    });
  const found = choices(false);
  const sets = found.filter((one) => 'id' in one);
  if (options.to !== undefined && new Set(sets.map(({ id }) => id)).size > 1) throw severalOfOneName(options.to, views, sets);
  const [set] = [...choices(true).filter((one) => 'id' in one), ...sets];
  if (set !== undefined) return set;
  throw found[0];
}

/** What an InputError says instead of being thrown. */
function tried(choose: () => SnapshotSet): SnapshotSet | InputError {
  try {
    return choose();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** Versions before this one counted names on each host. */
function severalOfOneName(name: string, views: readonly RollbackView[], sets: readonly SnapshotSet[]): InputError {
  const [first] = sets;
  const hosts = views.filter((view) => view.points.sets.some((set) => set.name === first?.name)).map((view) => view.name);
  return new InputError(`--to: ${name} is not the same restore point on each of the hosts ${hosts.join(', ')}`, {
    next: 'name the release by --before, or roll back the containers of one host after the other',
  });
}

/**
 * A host that has no part of a restore point although it had containers when it was cut.
 *
 * @throws SafetyError when it had
 */
function refuseIncomplete(
  { name, id, parts }: EnvironmentSet,
  view: RollbackView,
  views: readonly RollbackView[],
  instances: readonly string[] | undefined,
  environment: string,
): void {
  const here = askedOf(view, instances).map(({ target }) => target.instance);
  const named = parts.flatMap(({ set }) => set.elsewhere ?? []).map((one) => splitElsewhere(one).volume);
  // Restore points of older versions do not name what is on other hosts: a deploy that had completed there before tells.
  const known = parts.every(({ set }) => set.elsewhere === undefined);
  const before = deployHistory(view.audit).some(({ result, run }) => result === 'ok' && run < id);
  if (!here.some((instance) => named.includes(instance)) && !(known && before)) return;
  const other = views.filter((one) => parts.some(({ host }) => host === one.name)).flatMap((one) => askedOf(one, instances))[0];
  const alone =
    other && `a container of another host alone: nx run ${other.target.project}:rollback -c ${environment} --to=${shortName(name)}`;
  throw new SafetyError(`cannot roll back to ${shortName(name)}: it is incomplete, host ${view.name} has no part of it`, {
    host: view.name,
    ...(alone === undefined ? {} : { next: alone }),
  });
}
