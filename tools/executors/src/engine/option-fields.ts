import { z } from 'zod';

/*
 * Fields of executor options. They come from project files, where JSON has types, and from nx's command line, where `--x` is true and
 * all else the text that was typed (typed.ts): each field takes what means the same.
 */

/** A switch: `--allow-dirty`, `--allow-dirty=true`, `--no-allow-dirty`. */
export function flag(description: string) {
  return z
    .union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], 'expected true or false')
    .default(false)
    .meta({ description });
}

/** A text, given once. */
export function text(description: string, example: string) {
  return z
    .string({ error: ({ input }) => (Array.isArray(input) ? 'expected one value: it is given more than once' : 'expected a text') })
    .min(1)
    .meta({ description, examples: [example] });
}

/** Names, comma-separated or by repeating the option. */
export function names(description: string, example: string, form = /^/) {
  return z
    .union([z.string(), z.array(z.string())], 'expected names, separated by commas')
    .default([])
    .transform((value) =>
      [value]
        .flat()
        .flatMap((one) => one.split(','))
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    )
    .refine((all) => all.every((name) => form.test(name)), `expected such as ${example}, several separated by commas`)
    .meta({ description, examples: [example] });
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A time with its unit; given on in milliseconds. */
export function duration(description: string, example: string) {
  return z
    .string('expected a time with its unit: 90s, 5m, 1h')
    .regex(/^\d{1,9}(ms|s|m|h)$/, 'expected a time with its unit: 90s, 5m, 1h')
    .transform((value) => {
      const [, amount = '', unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(value) ?? [];
      return Number(amount) * UNITS[unit as keyof typeof UNITS];
    })
    .meta({ description, examples: [example] });
}

/** What every verb takes; it comes from the target's configurations, one for each environment. */
export const environment = z
  .string()
  .optional()
  .meta({ description: "The environment: set by the target's configurations, never on the command line" });

/** Said of a host that knows nothing of the environment, though another one, or git, does. */
export const newHost = names('Hosts that are new to the environment: their containers begin empty', 'veza-objects');

/** Said of what the application had by earlier settings. */
export const leaveBehind = names(
  'What the application may lose its access to, though it stays: <container>:<kind>:<name>, as plan shows it',
  'minio:bucket:veza-old',
  /^[^:]+:[a-z]+:.+$/,
);

/** Said of a host that does not answer. */
export const without = names('Hosts of the environment that are left out, with all containers there', 'veza-objects');

/** The way past a trial that refuses what the live server would take. */
export const skipTrial = flag('Try no file beforehand; what the live server refuses is taken back all the same');

/** Print JSON instead of a table. */
export const json = flag('Print JSON');
