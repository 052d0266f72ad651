import { type VerbRequest, verbBatch, verbExecutor } from '../shared/verb.ts';
import { type PlanOptions, planSchema } from './options.ts';

// The use case is imported once the options are known to be right.
const plan = async (request: VerbRequest<PlanOptions>) => (await import('../../usecases/verbs.ts')).plan(request);

export const runOne = verbExecutor(planSchema, plan);
export const runBatch = verbBatch(planSchema, plan);
