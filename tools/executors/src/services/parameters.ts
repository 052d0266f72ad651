import { z } from 'zod';

/**
 * Name of a parameter of a product's own configuration.
 *
 * @param pattern names that the product can have
 * @param rule the same in words, with an example
 * @param taken why a name is not free, as `use the setting "port" instead`; nothing where it is
 */
export function parameterName(pattern: RegExp, rule: string, taken: (name: string) => string | undefined) {
  return z
    .string()
    .regex(pattern, rule)
    .refine((name) => taken(name) === undefined, { error: ({ input }) => taken(String(input)) ?? rule });
}

/** What is said of a parameter that a setting of ours writes. */
export function useSetting(setting: string): string {
  return `use the setting "${setting}" instead`;
}

/**
 * Value of such a parameter: a text, or what JSON has for a number and for yes and no. Given on as text.
 *
 * @param line texts that fit into one line of the file
 * @param rule the same in words
 * @param words how the product writes true and false
 */
export function parameterValue(line: RegExp, rule: string, words: readonly [yes: string, no: string]) {
  const expected = `expected a text, a number, true or false: ${rule}`;
  return z
    .union([z.string().regex(line, `expected ${rule}`), z.number(), z.boolean()], expected)
    .refine((value) => typeof value !== 'number' || /^-?\d+(\.\d+)?$/.test(String(value)), 'expected a number of fewer digits, or a text')
    .transform((value) => (typeof value === 'boolean' ? words[value ? 0 : 1] : String(value)));
}
