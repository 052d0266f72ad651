import { verbExecutor } from '../shared/verb.ts';
import { logSchema } from './options.ts';

const executor = verbExecutor(logSchema, async (request) => (await import('../../usecases/verbs.ts')).log(request));
export default executor;
