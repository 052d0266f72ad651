import type { VerbRequest, VerbResult } from '../shared/verb.ts';
import type { StatusOptions } from './options.ts';

/** Loads the use case only once the options are known to be right. */
export async function status(request: VerbRequest<StatusOptions>): Promise<VerbResult> {
  const verbs = await import('../../usecases/verbs.ts');
  return verbs.status(request);
}
