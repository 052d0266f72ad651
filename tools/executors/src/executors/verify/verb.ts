import type { VerbRequest } from '../../shared/request.ts';
import type { VerifyOptions } from '../../verbs/verify/options.ts';
import { verbBatch, verbExecutor } from '../shared/verb.ts';
import { verifySchema } from './options.ts';

// The use case is imported once the options are known to be right.
const verify = async (request: VerbRequest<VerifyOptions>) => (await import('../../usecases/verbs.ts')).verify(request);
const verifyApps = async (request: VerbRequest<VerifyOptions>) => (await import('../../usecases/app/verify.ts')).verifyApps(request);

export const runOne = verbExecutor(verifySchema, verify, verifyApps);
export const runBatch = verbBatch(verifySchema, verify, verifyApps);
