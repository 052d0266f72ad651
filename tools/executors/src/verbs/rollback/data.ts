import { explainedBy } from '../../engine/errors.ts';
import type { VerbRequest, VerbResult } from '../../shared/request.ts';
import type { RollbackOptions } from './options.ts';
import { rollback as rollBack } from './rollback.ts';

/** Takes containers back to a restore point, or forward again. @throws MooringError */
export const rollback = (request: VerbRequest<RollbackOptions>): Promise<VerbResult> => rollBack(request).catch(explainedBy('rollBack'));
