import { verbExecutor } from '../shared/verb.ts';
import { planSchema } from './options.ts';
import { plan } from './verb.ts';

const executor = verbExecutor(planSchema, plan);
export default executor;
