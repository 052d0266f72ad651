import type { VerbRequest, VerbResult } from '../shared/verb.ts';
import type { PlanOptions } from './options.ts';

/** Loads the use case only once the options are known to be right. */
export async function plan(request: VerbRequest<PlanOptions>): Promise<VerbResult> {
  const verbs = await import('../../usecases/verbs.ts');
  return verbs.plan(request);
}
