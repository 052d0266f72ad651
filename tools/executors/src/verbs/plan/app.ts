import type { AppInvocation } from '../../shared/app/run.ts';
import { stagesOf } from '../../shared/app/stages.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { withAppLook } from '../../shared/app/verb-run.ts';
import { type ContainerPlan, countChanges, planEach, planEnd, type Unplanned } from '../../shared/plan-container.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import { inStep } from '../../shared/stages.ts';
import type { PlanOptions } from './options.ts';

/** What a deploy would do to one application: a container's plan, and what is to be known before. */
export type AppPlan = ContainerPlan & {
  /** Whether the address may be given to the guest, and why. */
  readonly address: string;
  /** What would forbid the deploy, a line each. */
  readonly refused: readonly string[];
};

/** The plans of applications, and those that have none. */
export type AppsPlan = { readonly environment: string; readonly apps: readonly AppPlan[]; readonly refused: readonly Unplanned[] };

/** Shows what provision, configure and deploy would change; changes nothing. */
export function planApps(request: VerbRequest<PlanOptions>): Promise<Answer<AppsPlan>> {
  return withAppLook(request, async (run) => {
    const { planned: apps, refused } = await planEach(run.targets, (target) =>
      planApp(run, target).catch((error: unknown) => {
        throw inStep(error, 'plan').with({ instance: target.guest.name, page: 'applications' });
      }),
    );
    const data = { environment: run.environment.name, apps, refused };
    return { ...planEnd(refused, request.options.failOnChanges && countChanges(apps) > 0), data };
  });
}

/** Plans one application. */
async function planApp(run: AppInvocation, target: PreparedApp): Promise<AppPlan> {
  // A restart and a conflict are shown, with what the deploy would want to hear of them.
  const flags = { allowRestart: false, allowIpConflicts: false, adopt: run.adopts(target) };
  const provision = await run.platform.plan(target, flags);
  const { verdict } = provision;
  const told = verdict.state === 'free' ? verdict.because : verdict.state === 'taken' ? verdict.by : verdict.unseen;
  return {
    container: target.project,
    instance: `${target.guest.name}, guest ${target.guest.vmid}`,
    host: run.platform.name,
    provision: provision.changes,
    stages: await stagesOf(run, target),
    address: `${target.address} is ${verdict.state}: ${told.join('; ')}`,
    refused: provision.problems.map(({ message }) => message),
  };
}
