import { z } from 'zod';
import { MooringError } from '../../engine/errors.ts';

/** Text that is JSON. Nothing at all is what `incus query` prints of an empty object (6.0.4); of an empty list it prints `[]`. */
const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text === '' ? '{}' : text) as unknown;
  } catch (error) {
    context.addIssue(`not JSON: ${String(error)}`);
    return z.NEVER;
  }
});

/**
 * What is left in a list of an instance that is stopped, goes away, or is made, while the list is read (Incus `instances_get.go`,
 * `resultErrListAppend`). One of them must not hide all the others.
 */
export const unreadableSchema = z.object({ status: z.literal('Error'), config: z.null(), devices: z.null() });

/**
 * Parses what `incus query` printed.
 *
 * @param what was asked for, for the message
 * @throws MooringError when it is in a form that is not known
 */
export function parseAnswer<T>(what: string, stdout: string, schema: z.ZodType<T>): T {
  const parsed = json.pipe(schema).safeParse(stdout);
  if (parsed.success) return parsed.data;
  throw new MooringError(`Incus told ${what} in a form that is not known:\n${z.prettifyError(parsed.error)}`);
}
