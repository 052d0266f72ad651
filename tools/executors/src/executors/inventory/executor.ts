import { verbExecutor } from '../shared/verb.ts';
import { inventorySchema } from './options.ts';

const executor = verbExecutor(inventorySchema, async (request) => (await import('../../usecases/verbs.ts')).inventory(request));
export default executor;
