import { verbExecutor } from '../shared/verb.ts';
import { statusSchema } from './options.ts';
import { status } from './verb.ts';

const executor = verbExecutor(statusSchema, status);
export default executor;
