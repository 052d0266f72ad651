import type { Change } from '../engine/change.ts';
import { MooringError } from '../engine/errors.ts';
import type { Page } from '../engine/pages.ts';
import type { Desired, Service } from '../engine/service.ts';
import { showChange } from '../engine/show-change.ts';
import { type InstanceAnswers, planStage } from './stages.ts';

/** What is to be, and what was answered to everything that its service asks. */
type Look<S> = { readonly desired: Desired<S>; readonly answers: InstanceAnswers };

/** Where a service's stages are applied, and what is done about it. */
export type Ground<L> = {
  /** As its errors call it, and the page that explains them. */
  readonly name: string;
  readonly page: Page;
  /** Whose fault it may be that a stage's plan is not empty after it was applied. */
  readonly fault: string;
  /** Refuses changes, or does what has to come before the first of them. */
  before?(changes: readonly Change[], isFirst: boolean): Promise<void>;
  apply(stage: string, changes: readonly Change[]): Promise<void>;
  lookAgain(before: L): Promise<L>;
};

/**
 * Brings a service to its settings, stage by stage. A stage is applied and looked at again, and its plan must be empty then; what is empty
 * from the start is not touched.
 *
 * @param look as it is now
 * @returns what was changed, and the last look
 */
export async function converge<S, L extends Look<S>>(
  service: Service<S>,
  look: L,
  ground: Ground<L>,
): Promise<{ readonly changes: readonly Change[]; readonly look: L }> {
  const done: Change[] = [];
  let now = look;
  for (const [index, stage] of service.stages.entries()) {
    const changes = planStage(service, index, now.desired, now.answers);
    if (changes.length === 0) continue;
    await ground.before?.(changes, done.length === 0);
    await ground.apply(stage.name, changes);
    done.push(...changes);
    now = await ground.lookAgain(now);
    refuseRest(ground, stage.name, planStage(service, index, now.desired, now.answers));
  }
  return { changes: done, look: now };
}

function refuseRest({ name, page, fault }: Pick<Ground<unknown>, 'name' | 'page' | 'fault'>, stage: string, rest: readonly Change[]): void {
  if (rest.length === 0) return;
  throw new MooringError(
    `${name} did not converge: after ${stage} was applied, this would still be changed:\n${rest.map((change) => `  ${showChange(change)}`).join('\n')}`,
    { step: stage, page, next: `something else may be changing it, or this is a fault of ${fault}` },
  );
}
