import type { VerbRequest } from '../../shared/request.ts';
import type { PlanOptions } from '../../verbs/plan/options.ts';
import { verbBatch, verbExecutor } from '../shared/verb.ts';
import { planSchema } from './options.ts';

// The use case is imported once the options are known to be right.
const plan = async (request: VerbRequest<PlanOptions>) => (await import('../../usecases/verbs.ts')).plan(request);
const planApps = async (request: VerbRequest<PlanOptions>) => (await import('../../usecases/app/plan.ts')).planApps(request);

/** Markdown is written as it is printed, of both tiers; JSON by the tier that it is of. */
const answerFile = ({ markdown, out }: PlanOptions) => (markdown ? out : undefined);

export const runOne = verbExecutor(planSchema, plan, planApps, answerFile);
export const runBatch = verbBatch(planSchema, plan, planApps, answerFile);
