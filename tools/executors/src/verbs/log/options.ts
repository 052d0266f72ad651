import { z } from 'zod';
import { environment, json } from '../../engine/option-fields.ts';

/** Options of `log`. */
export const schema = z.strictObject({
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
});

/** What the verb is given. */
export type LogOptions = Omit<z.output<typeof schema>, 'environment'>;
