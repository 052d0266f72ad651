import { verbExecutor } from '../shared/verb.ts';
import { logSchema } from './options.ts';

// The use case is imported once the options are known to be right.
export const runOne = verbExecutor(logSchema, async (request) => (await import('../../usecases/verbs.ts')).log(request));
