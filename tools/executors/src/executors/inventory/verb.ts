import { verbExecutor } from '../shared/verb.ts';
import { inventorySchema } from './options.ts';

// The use case is imported once the options are known to be right.
export const runOne = verbExecutor(inventorySchema, async (request) => (await import('../../usecases/verbs.ts')).inventory(request));
