import { z } from 'zod';
import { environment, json } from '../../engine/option-fields.ts';

/** Options of `verify`. */
export const schema = z.strictObject({ environment, json });

/** What the verb is given. */
export type VerifyOptions = Omit<z.output<typeof schema>, 'environment'>;
