import type { VerbRequest } from '../../shared/request.ts';
import type { StatusOptions } from '../../verbs/status/options.ts';
import { verbBatch, verbExecutor } from '../shared/verb.ts';
import { statusSchema } from './options.ts';

// The use case is imported once the options are known to be right.
const status = async (request: VerbRequest<StatusOptions>) =>
  request.options.completedRelease
    ? (await import('../../usecases/completed-release.ts')).showCompletedRelease(request)
    : (await import('../../usecases/verbs.ts')).status(request);
const statusApps = async (request: VerbRequest<StatusOptions>) => (await import('../../usecases/app/status.ts')).statusApps(request);

export const runOne = verbExecutor(statusSchema, status, statusApps);
export const runBatch = verbBatch(statusSchema, status, statusApps);
