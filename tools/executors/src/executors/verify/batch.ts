import { verbBatch } from '../shared/verb.ts';
import { verifySchema } from './options.ts';
import { verify } from './verb.ts';

const batch = verbBatch(verifySchema, verify);
export default batch;
