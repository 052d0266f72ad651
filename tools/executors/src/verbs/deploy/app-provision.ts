import type { ProvisionPlan } from '../../engine/guest-platform.ts';
import type { PreparedApp } from '../../shared/app/target.ts';
import { refuse } from '../../workspace/problems.ts';
import type { AppPart } from './app-part.ts';

/** The plan of a guest. @throws ProblemsError with all that forbids to begin */
export async function plannedProvision({ run, options }: AppPart, target: PreparedApp): Promise<ProvisionPlan> {
  const plan = await run.platform.plan(target, { ...options, adopt: run.adopts(target) });
  refuse(plan.problems, `${target.project}: nothing was touched`);
  return plan;
}

/** What is told of a conflict that `--allow-ip-conflicts` lets pass; nothing where there is none. */
export function allowedConflict({ verdict }: Pick<ProvisionPlan, 'verdict'>): string[] {
  if (verdict.state === 'free') return [];
  const why =
    verdict.state === 'taken' ? `the address is taken: ${verdict.by.join('; ')}` : `not known to be free: ${verdict.unseen.join('; ')}`;
  return [`--allow-ip-conflicts: ${why}`];
}
