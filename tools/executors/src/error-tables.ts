import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { markdownTable } from './report/table.ts';

/**
 * What a room's `errors.json` says: the section of docs/errors.md, and each message of it with its cause and what to do. A message
 * stands as `code`, with `…` for what differs; several of one cause are separated by commas.
 */
const errorsFileSchema = z.strictObject({
  section: z.string().regex(/^[a-z-]+$/),
  errors: z.array(z.strictObject({ message: z.string().regex(/`[^`]+`/), cause: z.string(), remedy: z.string().min(1) })).min(1),
});

/** One row of docs/errors.md. */
export type ExplainedError = z.infer<typeof errorsFileSchema>['errors'][number];

/** The explanations of all rooms: every `errors.json` below a folder, by its section. @throws Error at a file that is not in this form */
export function explainedErrors(sources: string): Record<string, readonly ExplainedError[]> {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => /(^|\/)errors\.json$/.test(file));
  const sections = files.sort().map((file) => {
    const parsed = errorsFileSchema.safeParse(JSON.parse(readFileSync(join(sources, file), 'utf8')));
    if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
    return [parsed.data.section, parsed.data.errors] as const;
  });
  const twice = sections.find(([section], at) => sections.findIndex(([other]) => other === section) !== at);
  if (twice !== undefined) throw new Error(`two errors.json have the section ${twice[0]}`);
  return Object.fromEntries(sections);
}

/** The tables of docs/errors.md, each by its name there: `errors-<section>`. */
export function errorRegions(sources: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(explainedErrors(sources)).map(([section, errors]) => [
      `errors-${section}`,
      markdownTable(
        ['message', 'cause', 'what to do'],
        errors.map(({ message, cause, remedy }) => [message, cause, remedy]),
      ),
    ]),
  );
}
