import { z } from 'zod';
import { environment, json } from '../shared/fields.ts';

/** Options of `verify`. */
export const verifySchema = z.strictObject({ environment, json });
export type VerifyOptions = Omit<z.output<typeof verifySchema>, 'environment'>;
