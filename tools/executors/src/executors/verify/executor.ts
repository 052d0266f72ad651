import { verbExecutor } from '../shared/verb.ts';
import { verifySchema } from './options.ts';
import { verify } from './verb.ts';

const executor = verbExecutor(verifySchema, verify);
export default executor;
