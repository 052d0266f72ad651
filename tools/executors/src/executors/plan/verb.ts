import { type VerbRequest, verbBatch, verbExecutor } from '../shared/verb.ts';
import { type PlanOptions, planSchema } from './options.ts';

// The use case is imported once the options are known to be right.
const plan = async (request: VerbRequest<PlanOptions>) => (await import('../../usecases/verbs.ts')).plan(request);
const planApps = async (request: VerbRequest<PlanOptions>) => (await import('../../usecases/app/plan.ts')).planApps(request);

export const runOne = verbExecutor(planSchema, plan, planApps);
export const runBatch = verbBatch(planSchema, plan, planApps);
