import { formatFiles, type GeneratorCallback, type Tree } from '@nx/devkit';
import type { z } from 'zod';
import { InputError, showError } from '../../engine/errors.ts';
import { parseAll, refuse } from '../../workspace/problems.ts';

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
  work: (tree: Tree, options: z.output<S>) => Promise<readonly string[]> | readonly string[],
): (tree: Tree, raw: Readonly<Record<string, unknown>>) => Promise<GeneratorCallback> {
  return async (tree, raw) => {
    try {
      const lines = await work(tree, parse(name, schema, raw));
      await formatFiles(tree);
      return () => {
        for (const line of lines) console.log(line);
      };
    } catch (error) {
      const plain = new Error(showError(error));
      plain.stack = plain.message;
      throw plain;
    }
  };
}

function parse<S extends z.ZodType>(name: string, schema: S, raw: Readonly<Record<string, unknown>>): z.output<S> {
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined));
  const result = parseAll(schema, given, { file: `nx-mooring:${name} options` });
  if ('value' in result) return result.value;
  refuse(result.problems, `nx-mooring:${name}`);
  throw new InputError(`nx-mooring:${name}`);
}
