import { z } from 'zod';
import type { SnapshotsOptions } from '../../verbs/snapshots/options.ts';
import { environment, json, type OfTarget } from '../shared/fields.ts';

/** Options of `snapshots`. */
export const snapshotsSchema = z.strictObject({ environment, json }) satisfies z.ZodType<OfTarget<SnapshotsOptions>>;
