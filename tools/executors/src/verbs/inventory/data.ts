import type { Answer, VerbRequest } from '../../shared/request.ts';
import { hostsOf } from '../../shared/run.ts';
import { surveyLiving, surveyOf, withLook } from '../../shared/verb-run.ts';
import { inventoryOf } from './ansible-containers.ts';
import type { InventoryOptions } from './options.ts';

/** The data containers as an Ansible inventory, as far as their hosts answer. */
export function inventory(request: VerbRequest<InventoryOptions>): Promise<Answer<Record<string, unknown>>> {
  return withLook(request, async (run, { targets, faulty }) => {
    const { answers, dead } = await surveyLiving(run, hostsOf(targets));
    const known = targets.filter(({ host }) => answers.has(host));
    const data = inventoryOf(run.environment, known, (target) => surveyOf(answers, target).incus);
    return { success: true, data, absent: new Map([...dead, ...faulty.map(({ project, error }) => [project, error] as const)]) };
  });
}
