import { z } from 'zod';
import { environment, json, type OfTarget } from '../../engine/option-fields.ts';
import type { SnapshotsOptions } from '../../verbs/snapshots/options.ts';

/** Options of `snapshots`. */
export const snapshotsSchema = z.strictObject({ environment, json }) satisfies z.ZodType<OfTarget<SnapshotsOptions>>;
