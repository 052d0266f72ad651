import { explainedBy, MooringError, NotPartError } from '../../engine/errors.ts';
import { ownRunId } from '../../engine/run-id.ts';
import { reasonOf } from '../../engine/stopped.ts';
import { answered } from '../../shared/answer.ts';
import { confirm } from '../../shared/confirm.ts';
import { inTurn } from '../../shared/every-host.ts';
import { LeaseKeeper } from '../../shared/lease-keeper.ts';
import { offeringWithout, showLeftOut } from '../../shared/left-out.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { hostsOf, type Invocation, openRun } from '../../shared/run.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { aimAll } from './aim-all.ts';
import { begin, entry, keep, type Part } from './begin.ts';
import { describe, type RollbackPlan } from './describe.ts';
import { refuseFlags } from './flags.ts';
import { refuseOtherIdmap } from './idmap.ts';
import { lookForRollback, type RollbackView } from './look.ts';
import type { RollbackOptions } from './options.ts';
import { Exchange, type RolledBack, writeDown } from './perform.ts';
import { planRollback } from './plan.ts';
import { takenBack } from './take-back.ts';

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
      if (run.signal.aborted) throw new MooringError(`stopped: ${reasonOf(run.signal)}`);
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
