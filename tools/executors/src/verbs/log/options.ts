import { z } from 'zod';
import { environment, json } from '../../engine/option-fields.ts';

const COUNT = 'expected a whole number from 1 to 100000';

/** Options of `log`. */
export const schema = z.strictObject({
  environment,
  limit: z
    .union(
      [
        z.int(COUNT),
        z
          .string()
          .regex(/^\d{1,6}$/, COUNT)
          .transform(Number),
      ],
      COUNT,
    )
    .pipe(z.int().min(1, COUNT).max(100_000, COUNT))
    .default(50)
    .meta({ description: 'How many entries, newest last', examples: [50] }),
  json,
});

/** What the verb is given. */
export type LogOptions = Omit<z.output<typeof schema>, 'environment'>;
