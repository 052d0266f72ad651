import { explainedBy } from '../../engine/errors.ts';
import type { VerbRequest } from '../../shared/request.ts';
import type { RollbackOptions } from '../../verbs/rollback/options.ts';
import { verbExecutor } from '../shared/verb.ts';
import { rollbackSchema } from './options.ts';

// The use case is imported once the options are known to be right.
const rollback = async (request: VerbRequest<RollbackOptions>) =>
  (await import('../../usecases/rollback/rollback.ts')).rollback(request).catch(explainedBy('rollBack'));
const rollbackApps = async (request: VerbRequest<RollbackOptions>) =>
  (await import('../../usecases/app/rollback.ts')).rollbackApps(request);

export const runOne = verbExecutor(rollbackSchema, rollback, rollbackApps);
