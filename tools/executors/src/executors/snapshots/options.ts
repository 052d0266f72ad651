import { z } from 'zod';
import { environment, json } from '../shared/fields.ts';

/** Options of `snapshots`. */
export const snapshotsSchema = z.strictObject({ environment, json });
export type SnapshotsOptions = Omit<z.output<typeof snapshotsSchema>, 'environment'>;
