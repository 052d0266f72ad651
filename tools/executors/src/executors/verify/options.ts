import { z } from 'zod';
import { environment, json, type OfTarget } from '../../engine/option-fields.ts';
import type { VerifyOptions } from '../../verbs/verify/options.ts';

/** Options of `verify`. */
export const verifySchema = z.strictObject({ environment, json }) satisfies z.ZodType<OfTarget<VerifyOptions>>;
