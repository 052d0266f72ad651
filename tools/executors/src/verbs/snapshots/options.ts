import { z } from 'zod';
import { environment, json } from '../../engine/option-fields.ts';

/** Options of `snapshots`. */
export const schema = z.strictObject({ environment, json });

/** What the verb is given. */
export type SnapshotsOptions = Omit<z.output<typeof schema>, 'environment'>;
