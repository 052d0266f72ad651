import { explainedBy } from '../../engine/errors.ts';
import type { VerbRequest, VerbResult } from '../../shared/request.ts';
import type { PruneOptions } from './options.ts';
import { prune as pruneRestorePoints } from './restore-points.ts';

/** Destroys the restore points that no rule keeps. @throws MooringError */
export const prune = (request: VerbRequest<PruneOptions>): Promise<VerbResult> =>
  pruneRestorePoints(request).catch(explainedBy('restorePoints'));
