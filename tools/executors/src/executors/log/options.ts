import { z } from 'zod';
import { environment, json, type OfTarget } from '../../engine/option-fields.ts';
import type { LogOptions } from '../../verbs/log/options.ts';

/** Options of `log`. */
export const logSchema = z.strictObject({
  environment,
  limit: z
    .union(
      [
        z.int(),
        z
          .string()
          .regex(/^\d{1,6}$/)
          .transform(Number),
      ],
      'expected a whole number',
    )
    .pipe(z.int().min(1).max(100_000))
    .default(50)
    .meta({ description: 'How many entries, newest last', examples: [50] }),
  json,
}) satisfies z.ZodType<OfTarget<LogOptions>>;
