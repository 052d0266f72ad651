import { verbBatch } from '../shared/verb.ts';
import { statusSchema } from './options.ts';
import { status } from './verb.ts';

const batch = verbBatch(statusSchema, status);
export default batch;
