import { explainedBy } from '../../engine/errors.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import type { RollbackPlan } from './describe.ts';
import type { RollbackOptions } from './options.ts';
import { type RollbackAnswer, rollback as rollBack } from './rollback.ts';

/** Takes containers back to a restore point, or forward again. @throws MooringError */
export const rollback = (request: VerbRequest<RollbackOptions, RollbackPlan>): Promise<Answer<RollbackAnswer>> =>
  rollBack(request).catch(explainedBy('rollBack'));
