import { formatFiles, type GeneratorCallback, type Tree } from '@nx/devkit';
import type { z } from 'zod';
import { showError } from '../../engine/errors.ts';
import { mustParse } from '../../workspace/problems.ts';

/** What a generator has to say, and what it does once its files are there; a dry run comes to neither. */
export type Done = {
  readonly lines: readonly string[];
  /** For what must not go through the tree, such as a private key. It comes before the lines; what it gives is printed after them. */
  readonly finish: () => Promise<readonly string[]>;
};

/**
 * Makes a generator of what it does to the tree. Options are parsed, what was written is formatted, and an error is told as
 * everywhere else, without a stack.
 *
 * @param name as in `nx g nx-mooring:<name>`
 * @param work writes to the tree; gives the lines that are printed once the files are there
 */
export function generator<S extends z.ZodType>(
  name: string,
  schema: S,
  work: (tree: Tree, options: z.output<S>) => Promise<readonly string[] | Done> | readonly string[] | Done,
): (tree: Tree, raw: Readonly<Record<string, unknown>>) => Promise<GeneratorCallback> {
  return (tree, raw) =>
    plainly(async () => {
      const said = await work(tree, parse(name, schema, raw));
      await formatFiles(tree);
      const { lines, finish } = 'finish' in said ? said : { lines: said, finish: async () => [] };
      return () =>
        plainly(async () => {
          const more = await finish();
          for (const line of [...lines, ...more]) console.log(line);
        });
    });
}

/** Errors as everywhere else, without a stack. */
async function plainly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const plain = new Error(showError(error));
    plain.stack = plain.message;
    throw plain;
  }
}

function parse<S extends z.ZodType>(name: string, schema: S, raw: Readonly<Record<string, unknown>>): z.output<S> {
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined));
  return mustParse(schema, given, { file: `nx-mooring:${name} options`, flags: true }, `nx-mooring:${name}`);
}
