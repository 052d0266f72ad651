import { explainedBy } from '../../engine/errors.ts';
import { verbExecutor } from '../shared/verb.ts';
import { snapshotsSchema } from './options.ts';

// The use case is imported once the options are known to be right.
export const runOne = verbExecutor(snapshotsSchema, async (request) =>
  (await import('../../usecases/snapshots-verb.ts')).snapshots(request).catch(explainedBy('restorePoints')),
);
