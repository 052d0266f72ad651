import { z } from 'zod';
import { environment, json } from '../shared/fields.ts';

/** Options of `status`. */
export const statusSchema = z.strictObject({ environment, json });
export type StatusOptions = Omit<z.output<typeof statusSchema>, 'environment'>;
