import { explainedBy } from '../../engine/errors.ts';
import type { VerbRequest, VerbResult } from '../../shared/request.ts';
import type { SnapshotsOptions } from './options.ts';
import { snapshots as listSnapshots } from './rows.ts';

/** The restore points of an environment. @throws MooringError */
export const snapshots = (request: VerbRequest<SnapshotsOptions>): Promise<VerbResult> =>
  listSnapshots(request).catch(explainedBy('restorePoints'));
