import { z } from 'zod';

/* What is in answers: Perl writes a number as a number or as text, whatever it was used as last. */

/** A whole number. */
export const whole = z.union([z.int(), z.string().regex(/^\d+$/, 'expected a whole number').transform(Number)]);

/** A yes or no. */
export const yes = z.union([z.boolean(), z.number(), z.enum(['', '0', '1'])]).transform((value) => value === true || Number(value) === 1);
