import { explainedBy, InputError, MooringError, NotPartError, SafetyError, showError } from '../../engine/errors.ts';
import { complete, nxRun } from '../../engine/nx-command.ts';
import { ownRunId } from '../../engine/run-id.ts';
import { answered } from '../../shared/answer.ts';
import { INSTANCES } from '../../shared/backends.ts';
import { confirm } from '../../shared/confirm.ts';
import { inTurn } from '../../shared/every-host.ts';
import { placeOf } from '../../shared/instance-look.ts';
import { LeaseKeeper } from '../../shared/lease-keeper.ts';
import { offeringWithout, showLeftOut } from '../../shared/left-out.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { hostsOf, type Invocation, openRun } from '../../shared/run.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { failedId, leftBy } from '../../snapshots/choose.ts';
import { shortName } from '../../snapshots/name.ts';
import { aimAll } from './aim-all.ts';
import { begin, entry, keep, type Part } from './begin.ts';
import { describe, type RollbackPlan } from './describe.ts';
import { refuseOtherIdmap } from './idmap.ts';
import { isExchangedInPlace } from './in-place.ts';
import { lookForRollback, type RollbackView } from './look.ts';
import type { RollbackOptions } from './options.ts';
import { Exchange, type RolledBack, writeDown } from './perform.ts';
import { type ContainerRollback, planRollback } from './plan.ts';

/** What a roll-back came to; `leftOut` has a sentence for each host that `--without` left out. */
export type RollbackAnswer = { readonly leftOut: readonly string[] } & (
  | { readonly state: 'nothing to do'; readonly done: readonly string[] }
  | { readonly state: 'planned'; readonly plan: RollbackPlan }
  | { readonly state: 'declined' }
  /** `next`: what brings those that drifted to the settings. */
  | { readonly state: 'rolled back'; readonly plan: RollbackPlan; readonly done: readonly RolledBack[]; readonly next: string | undefined }
);

/** Takes containers back to an earlier state, or forward again. What is left is kept. @throws MooringError */
export function rollback(request: VerbRequest<RollbackOptions, RollbackPlan>): Promise<Answer<RollbackAnswer>> {
  return opened(request).catch(explainedBy('rollBack'));
}

async function opened(request: VerbRequest<RollbackOptions, RollbackPlan>): Promise<Answer<RollbackAnswer>> {
  await refuseFlags(request);
  // An id of its own: tasks of one command share theirs, and would join each other's lease.
  const runId = ownRunId(request.world);
  return answered(openRun({ ...request, runId, without: request.options.without }), async (run) => {
    const whole = request.projects.includes(run.workspace.storage.project);
    const targets = run.targets.filter(({ project }) => whole || request.projects.includes(project));
    if (targets.length === 0) throw new NotPartError(`${request.projects.join(', ')}: not part of ${run.environment.name}`);
    const leases: LeaseKeeper[] = [];
    try {
      return await rollBack(run, request, targets, whole, leases);
    } finally {
      for (const lease of leases) await lease.giveBack();
    }
  });
}

/** Before a secret is read. @throws InputError for flags that do not go together, with the whole command that lists what there is */
async function refuseFlags({
  environment,
  world,
  options,
}: Pick<VerbRequest<RollbackOptions>, 'environment' | 'world' | 'options'>): Promise<void> {
  const problem = wrongFlags(options);
  if (problem === undefined) return;
  const { storage } = await world.files.look();
  throw complete(problem, { environment, storage: storage?.project });
}

function wrongFlags(options: RollbackOptions): InputError | undefined {
  if (options.release !== undefined)
    return new InputError(`--release=${options.release} is not taken: "roll back, release X" reads as "back to X", and as "undo X"`, {
      next: `--before=${options.release} for the state before it was deployed`,
    });
  const given = [options.before !== undefined && '--before', options.to !== undefined && '--to', options.undo && '--undo'].filter(Boolean);
  if (given.length !== 1)
    return new InputError(given.length === 0 ? 'no destination given' : `${given.join(' and ')} do not go together`, {
      next: `--before=<sha>, --to=<restore point> or --undo; ${nxRun('snapshots')} lists the restore points`,
    });
  if (options.undo && options.inPlace) return new InputError('--undo brings back what was kept; there is nothing to do in place');
  if (options.discardNewer.length > 0 && !options.inPlace)
    return new InputError('--discard-newer is for --in-place: without it nothing is destroyed', {
      next: 'leave one of them out, or give both',
    });
  return undefined;
}

async function rollBack(
  run: Invocation,
  { options, projects, ask, preview }: VerbRequest<RollbackOptions, RollbackPlan>,
  targets: readonly PreparedContainer[],
  whole: boolean,
  leases: LeaseKeeper[],
): Promise<Omit<Answer<RollbackAnswer>, 'clean'>> {
  const leftOut = showLeftOut(run);
  const views = await inTurn(hostsOf(targets), (name) =>
    look(run, name, targets, options, leases).catch((error: unknown) => {
      throw offeringWithout(error, name, run.targets, { without: run.without, projects });
    }),
  );
  const instances = whole ? undefined : targets.map(({ instance }) => instance);
  const { aimed, done } = aimAll(namedAlike(views), run, options, instances, run.world.now().toISOString());
  const parts: Part[] = aimed.map(({ view, aim }) => {
    const { concerned, attempt } = aim;
    return { view, concerned, aim, plans: planRollback(view, concerned, attempt) };
  });
  if (parts.length === 0) return { success: true, data: { state: 'nothing to do', done, leftOut } };
  for (const { view, plans } of parts) await refuseOtherIdmap(view, plans);
  const plan = await describe(run.environment.name, parts);
  if (options.dryRun) return { success: true, data: { state: 'planned', plan, leftOut } };
  if (!(options.json && options.yes)) preview(plan, run.clean);
  if (!options.yes && (await confirm(ask, 'Type yes to go on: ', 'this takes services down', '--yes')) !== 'yes')
    return { success: false, data: { state: 'declined', leftOut } };
  const rolledBack = await perform(run, parts, options);
  const drifted = rolledBack.filter((one) => one.drifted).map(({ container }) => container);
  const next = drifted.length === 0 ? undefined : `nx run-many -t configure -p ${drifted.join(',')} -c ${run.environment.name}`;
  return { success: next === undefined, data: { state: 'rolled back', plan, done: rolledBack, next, leftOut } };
}

/** The same hosts, for which a name is taken that any of them has: what is cut has one name on all. */
function namedAlike(views: readonly RollbackView[]): RollbackView[] {
  const taken = [...new Set(views.flatMap(({ points }) => points.taken))];
  return views.map((view) => ({ ...view, points: { ...view.points, taken } }));
}

async function look(
  run: Invocation,
  name: string,
  targets: readonly PreparedContainer[],
  options: RollbackOptions,
  leases: LeaseKeeper[],
): Promise<RollbackView> {
  const here = targets.filter(({ host }) => host === name);
  const all = run.targets.filter(({ host }) => host === name && here.length > 0);
  if (options.dryRun) return lookForRollback(run, name, all);
  const lease = new LeaseKeeper(run, await run.host(name), options, options.before ?? options.to ?? 'undo');
  const view = await lease.hold((opening) => lookForRollback(run, name, all, opening));
  leases.push(lease);
  return view;
}

async function perform(run: Invocation, parts: readonly Part[], options: RollbackOptions): Promise<RolledBack[]> {
  for (const part of parts) await begin(run, part, options);
  const exchanges = parts.map(({ view, plans }) => new Exchange(run, view, plans));
  try {
    const steps = [
      () => exchanges.map((exchange) => exchange.stop()),
      () => parts.map((part) => keep(run, part, part.plans, part.aim.attempt.runId)),
      () => exchanges.map((exchange) => exchange.exchange()),
      () => exchanges.map((exchange) => exchange.start()),
    ];
    for (const step of steps) {
      if (run.signal.aborted) throw new MooringError(`stopped: ${String(run.signal.reason)}`);
      await Promise.all(step());
    }
    const done = (await Promise.all(exchanges.map((exchange) => exchange.verify()))).flat();
    const seconds = done.map(({ container, downSeconds }) => `${container} was down for ${downSeconds} s`);
    for (const part of parts) await writeDown(run, part.view, [entry(run, part, 'ok', seconds.join(', '))]);
    return done;
  } catch (error) {
    throw await takenBack(run, parts, error);
  }
}

/** Brings all containers back to where they were, and tells what runs now. @returns the error to end with */
async function takenBack(run: Invocation, parts: readonly Part[], error: unknown): Promise<MooringError> {
  const failure = error instanceof MooringError ? error : new MooringError(showError(error), {}, error);
  run.progress(`failed: ${failure.message}`);
  run.progress('bringing all containers back to where they were');
  const outcomes = await Promise.all(parts.map((part) => backWhereItWas(run, part)));
  const back = outcomes.every(({ ok, destroyed }) => ok && !destroyed);
  for (const part of parts) {
    const inPlace = part.aim.attempt.goal.kind === 'in-place' ? part.concerned : [];
    const last = inPlace.map(({ target }) => INSTANCES.markRollback(placeOf(target), undefined));
    await writeDown(run, part.view, [entry(run, part, 'failed', run.clean.text(failure.message))], { last }).catch((cause: unknown) =>
      run.progress(String(cause)),
    );
  }
  const mixture = outcomes.flatMap(({ sentences }) => sentences).join('; ');
  const destroyed = outcomes.some((one) => one.destroyed);
  const next = back
    ? [failure.detail.next, 'the old state runs, and nothing is lost'].filter(Boolean).join('; ')
    : destroyed
      ? `current state: ${mixture}. A roll-back in place cannot be undone; run the same command for the other containers alone to finish it`
      : `current state: ${mixture}. Nothing is destroyed: ${nxRun('status', { environment: run.environment.name })} lists what is kept`;
  return new SafetyError(
    `${failure.message}\nThe roll-back failed. ${back ? `The OLD state runs: ${mixture}.` : `It could not be taken back whole: ${mixture}.`}`,
    { ...failure.detail, next },
    failure,
  );
}

/** What became of containers that were to be brought back; `destroyed` where one went in place, and cannot be. */
type Outcome = { readonly ok: boolean; readonly destroyed: boolean };

async function backWhereItWas(run: Invocation, part: Part): Promise<Outcome & { sentences: string[] }> {
  const { attempt, concerned } = part.aim;
  const targets = concerned.map(({ target }) => target);
  const outcomes = await lookForRollback(run, part.view.name, targets, undefined, true)
    .then(async (view) => {
      const set = leftBy(view.points.sets, attempt.runId);
      const undo = { kind: 'undo', run: attempt.runId, set } as const;
      const plans =
        attempt.goal.kind === 'in-place'
          ? view.candidates.map((candidate) => ({ candidate, volumes: [], forget: [], release: undefined }))
          : planRollback(view, view.candidates, {
              ...attempt,
              goal: undo,
              failed: true,
              ...(attempt.goal.kind === 'undo' ? { keptBefore: part.view.kept } : {}),
            });
      return Promise.all(plans.map((plan) => oneBack(run, { ...part, view }, plan)));
    })
    .catch((error: unknown) => [
      { ok: false, destroyed: false, sentence: `${part.view.name}: ${error instanceof Error ? error.message : String(error)}` },
    ]);
  return {
    ok: outcomes.every(({ ok }) => ok),
    destroyed: outcomes.some(({ destroyed }) => destroyed),
    sentences: outcomes.map(({ sentence }) => sentence),
  };
}

/** One container back: what has been exchanged is exchanged again; what has only been stopped is started. */
async function oneBack(run: Invocation, part: Part, plan: ContainerRollback): Promise<Outcome & { sentence: string }> {
  const { target, instance } = plan.candidate;
  const { attempt } = part.aim;
  const destroyed = isExchangedInPlace(part.view, plan.candidate, attempt);
  const state = destroyed && attempt.goal.kind === 'in-place' ? `the state of ${shortName(attempt.goal.set.name)}` : 'the old state';
  const exchange = new Exchange(run, part.view, [plan]);
  try {
    if (plan.volumes.length > 0) {
      await exchange.stop();
      await keep(run, part, [plan], failedId(part.aim.attempt.runId));
      await exchange.exchange();
      await exchange.start();
    } else if (instance.status !== 'Running') await exchange.start();
    else await exchange.settle();
    const [done] = await exchange.verify();
    return { ok: true, destroyed, sentence: `${target.instance} runs on ${state}${done?.drifted ? ' (drifted)' : ''}` };
  } catch (error) {
    const what = plan.volumes.length > 0 ? 'is only partly rolled back' : `has ${state}`;
    return {
      ok: false,
      destroyed,
      sentence: `${target.instance} ${what} and is not healthy (${error instanceof Error ? error.message : String(error)})`,
    };
  }
}
