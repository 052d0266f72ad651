import { appService } from '../../apps/index.ts';
import type { Change } from '../../engine/change.ts';
import { planStages, type StagePlan } from '../stages.ts';
import { lookAtGuest, planGuestDeploy } from './guest.ts';
import type { AppInvocation } from './run.ts';
import type { PreparedApp } from './target.ts';
import { enter } from './verb-run.ts';

/** What would be changed inside of the guest, as far as it is there. */
export async function stagesOf(run: AppInvocation, target: PreparedApp): Promise<StagePlan[]> {
  const service = appService(target.desired.settings);
  const { session } = await enter(run, target);
  if (session === undefined)
    return [...service.stages.map(({ name }) => ({ stage: name, knownAfter: 'provision' })), { stage: 'deploy', knownAfter: 'provision' }];
  const stages = planStages(service, target.desired, await lookAtGuest(session.looking()));
  const pending = stages.find((stage) => 'changes' in stage && stage.changes.length > 0)?.stage;
  if (pending !== undefined) return [...stages, { stage: 'deploy', knownAfter: pending }];
  const { changes } = await planGuestDeploy(session.looking());
  return [...stages, { stage: 'deploy', changes: changes as Change[] }];
}
