import type { VerbRequest, VerbResult } from '../../shared/request.ts';
import { status as table } from '../verbs.ts';
import { showCompletedRelease } from './completed-release.ts';
import type { StatusOptions } from './options.ts';

/** The table of an environment, or only the release that was completed there. */
export const status = (request: VerbRequest<StatusOptions>): Promise<VerbResult> =>
  request.options.completedRelease ? showCompletedRelease(request) : table(request);
