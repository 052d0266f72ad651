import type { VerbRequest, VerbResult } from '../shared/verb.ts';
import type { VerifyOptions } from './options.ts';

/** Loads the use case only once the options are known to be right. */
export async function verify(request: VerbRequest<VerifyOptions>): Promise<VerbResult> {
  const verbs = await import('../../usecases/verbs.ts');
  return verbs.verify(request);
}
