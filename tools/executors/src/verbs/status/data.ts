import type { VerbRequest, VerbResult } from '../../shared/request.ts';
import { showCompletedRelease } from '../../usecases/completed-release.ts';
import { status as table } from '../../usecases/verbs.ts';
import type { StatusOptions } from './options.ts';

/** The table of an environment, or only the release that was completed there. */
export const status = (request: VerbRequest<StatusOptions>): Promise<VerbResult> =>
  request.options.completedRelease ? showCompletedRelease(request) : table(request);
