import { z } from 'zod';
import type { VerifyOptions } from '../../verbs/verify/options.ts';
import { environment, json, type OfTarget } from '../shared/fields.ts';

/** Options of `verify`. */
export const verifySchema = z.strictObject({ environment, json }) satisfies z.ZodType<OfTarget<VerifyOptions>>;
