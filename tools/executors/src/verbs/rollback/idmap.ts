import type { CommandResult } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import type { RollbackView } from './look.ts';
import type { ContainerRollback } from './plan.ts';

/** Refuses to go back to files that would belong to nobody in their container. @throws SafetyError */
export async function refuseOtherIdmap(view: RollbackView, plans: readonly ContainerRollback[]): Promise<void> {
  const facts = plans.flatMap(({ volumes }) => volumes.flatMap(({ ids }) => ids ?? []));
  const results = await view.host.run(facts.map(({ command }) => command));
  for (const [i, fact] of facts.entries()) {
    try {
      fact.parse(results[i] as CommandResult);
    } catch (error) {
      throw error instanceof MooringError ? error.with({ host: view.name }) : error;
    }
  }
}
