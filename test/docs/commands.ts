import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documents } from './documents.ts';
import { ROOT } from './markdown.ts';

/** A command of nx as a document has it, in words; what a reader fills in (`<sha>`, `…`) stands as it is. */
export type NxCommand = { readonly at: string; readonly words: readonly string[] };

/** Every command of nx in blocks for the shell and in code inside of sentences. */
export const nxCommands: readonly NxCommand[] = documents.flatMap(({ file, blocks, words }) => [
  ...blocks
    .filter(({ language }) => ['sh', 'bash', 'console', ''].includes(language))
    .flatMap(({ text, language, line }) =>
      // What a program has printed is no command.
      text
        .replaceAll('\\\n', '  ')
        .split('\n')
        .flatMap((one, i) =>
          language === 'sh' || language === 'bash' || one.startsWith('$ ') ? commandsOf(one, `${file}:${line + i}`) : [],
        ),
    ),
  ...words.filter(({ text }) => /^(?:npx )?nx /.test(text)).flatMap(({ text, line }) => commandsOf(text, `${file}:${line}`)),
]);

function commandsOf(line: string, at: string): NxCommand[] {
  return line
    .replace(/\s#.*$/, '')
    .split(/&&|\|\||[;|)]/)
    .flatMap((part) => {
      const [, command] =
        /^\s*(?:\$ )?(?:\w+=\S+ )*(?:npx )?nx\s+(.+)$/.exec(part.replaceAll(/<[^<>]*>/g, (hole) => hole.replaceAll(' ', '_'))) ?? [];
      return command === undefined
        ? []
        : [{ at, words: command.split(/\s+/).filter((word) => !/^[<>]|^\d>/.test(word) || /^<.*>$/.test(word)) }];
    });
}

/** The properties of a schema of options. @param file relative to the plugin's package */
export function optionsOf(file: string): Set<string> {
  const { properties } = JSON.parse(readFileSync(join(ROOT, 'tools/executors', file), 'utf8')) as { properties: object };
  return new Set(Object.keys(properties));
}

/** The generators of the package with their options; nothing where it has none. */
export function generators(): Map<string, Set<string>> | undefined {
  if (!existsSync(join(ROOT, 'tools/executors/generators.json'))) return undefined;
  const { generators: all } = JSON.parse(readFileSync(join(ROOT, 'tools/executors/generators.json'), 'utf8')) as {
    generators: Record<string, { schema: string }>;
  };
  return new Map(Object.entries(all).map(([name, { schema }]) => [name, optionsOf(schema)]));
}
