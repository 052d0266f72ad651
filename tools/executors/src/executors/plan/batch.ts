import { verbBatch } from '../shared/verb.ts';
import { planSchema } from './options.ts';
import { plan } from './verb.ts';

const batch = verbBatch(planSchema, plan);
export default batch;
