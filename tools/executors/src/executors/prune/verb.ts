import { explainedBy } from '../../engine/errors.ts';
import { verbExecutor } from '../shared/verb.ts';
import { pruneSchema } from './options.ts';

// The use case is imported once the options are known to be right.
export const runOne = verbExecutor(pruneSchema, async (request) =>
  (await import('../../usecases/prune-verb.ts')).prune(request).catch(explainedBy('restorePoints')),
);
