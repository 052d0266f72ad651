import {
  type AppSettings,
  appService,
  headFact,
  planDeploy,
  planRollback,
  type ReleasePlan,
  refuseRest,
  releasesFact,
} from '../../apps/index.ts';
import type { Change } from '../../engine/change.ts';
import type { CommandResult, Host } from '../../engine/command.ts';
import type { Desired, Health, Service } from '../../engine/service.ts';
import { showChange } from '../../engine/show-change.ts';
import type { OpenHost } from '../../engine/transport.ts';
import { applyChanges, type StoredArtifact } from '../apply.ts';
import { converge } from '../converge.ts';
import { type InstanceAnswers, inStep, instanceQuestions, parseProbe } from '../stages.ts';

/** One guest at work: where it is, what it is to be, and how to tell of it. */
export type GuestSession = {
  /** The guest itself, as root. */
  readonly host: Host;
  readonly desired: Desired<AppSettings>;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
  readonly now: () => Date;
  /** Gives a binary of the service's artifacts by its name. */
  readonly obtain: (artifact: string) => Promise<StoredArtifact>;
};

/** Asks everything that setting up and the health check want to know, in one round trip. */
export async function lookAtGuest({ host, desired }: Pick<GuestSession, 'host' | 'desired'>): Promise<InstanceAnswers> {
  const questions = instanceQuestions(serviceOf(desired), desired);
  return questions.answers(await host.run(questions.commands));
}

/**
 * Brings the guest to its settings, stage by stage. A stage is applied and looked at again until its plan is empty.
 *
 * @param look what was asked already; else it is asked
 * @returns what was changed
 */
export async function configureGuest(run: GuestSession, look?: InstanceAnswers): Promise<readonly Change[]> {
  const { desired } = run;
  const again = async () => ({ desired, answers: await lookAtGuest(run) });
  const { changes } = await converge(serviceOf(desired), look === undefined ? await again() : { desired, answers: look }, {
    name: desired.context.instance,
    page: 'applications',
    fault: 'nx-mooring',
    apply: (stage, planned) => apply(run, stage, planned),
    lookAgain: again,
  });
  return changes;
}

/** What the health check says inside the guest and over its address. @throws MooringError when it is not healthy */
export async function verifyGuest(
  run: Pick<GuestSession, 'host' | 'desired'>,
  connect: OpenHost['connect'],
  address: string,
): Promise<Health> {
  const health = parseProbe(await lookAtGuest(run));
  await serviceOf(run.desired)
    .health.outside(run.desired, (port) => connect(address, port))
    .catch((error) => Promise.reject(inStep(error, 'verify').with({ page: 'applications' })));
  return health;
}

/** What a deploy of the commit would do now. */
export async function planGuestDeploy(
  { host, desired, now }: Pick<GuestSession, 'host' | 'desired' | 'now'>,
  commit?: string,
): Promise<ReleasePlan> {
  const facts = commit === undefined ? [releasesFact, headFact] : [releasesFact];
  const [guest, head] = await host.run(facts.map((fact) => fact.command));
  const releases = releasesFact.parse(guest as CommandResult);
  // Without a script there is nobody to ask for the newest commit: that the guest is not configured is what has to be said.
  const newest = commit ?? (releases.script === undefined ? '' : headFact.parse(head as CommandResult));
  return planDeploy({ guest: releases, head: newest }, desired, { now: now() });
}

/** Deploys a commit, the branch's newest when left out, and proves that nothing is left to do. */
export async function deployToGuest(run: GuestSession, commit?: string): Promise<ReleasePlan> {
  const plan = await planGuestDeploy(run, commit);
  if (plan.changes.length === 0) return plan;
  // Each on its own: who stops a run while a release is built does not find it live afterwards.
  for (const change of plan.changes) await apply(run, 'deploy', [change]);
  refuseRest(await planGuestDeploy(run, plan.commit));
  return plan;
}

/** What a roll-back would do now. */
export async function planGuestRollback({ host, desired }: Pick<GuestSession, 'host' | 'desired'>, to?: string): Promise<ReleasePlan> {
  const [guest] = await host.run([releasesFact.command]);
  return planRollback({ guest: releasesFact.parse(guest as CommandResult) }, desired, to);
}

/** Makes the release live that was live before, or the one that `to` names. */
export async function rollBackGuest(run: GuestSession, to?: string): Promise<ReleasePlan> {
  const plan = await planGuestRollback(run, to);
  if (plan.changes.length === 0) return plan;
  await apply(run, 'rollback', plan.changes);
  refuseRest(await planGuestRollback(run, plan.release));
  return plan;
}

function serviceOf({ settings }: Desired<AppSettings>): Service<AppSettings> {
  return appService(settings);
}

async function apply(run: GuestSession, step: string, changes: readonly Change[]): Promise<void> {
  const { host, obtain, signal, progress, desired } = run;
  const begin = (change: Change) => progress(`${desired.settings.name}: ${step}: ${showChange(change)}`);
  try {
    await applyChanges(changes, { host, obtain, signal, begin });
  } catch (error) {
    throw inStep(error, step).with({ instance: desired.context.instance, page: 'applications' });
  }
}
