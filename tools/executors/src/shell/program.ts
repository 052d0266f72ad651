import { readFileSync } from 'node:fs';

const files = new Map<string, string>();

/**
 * A shell program that lies beside the code as a file of its own, as it is sent to a host: without its comments, which are for those
 * who read the file. Parameters reach it as `$1`, `$2`, …; nothing is ever put into its text. Read once, when it is first needed.
 *
 * @param module `import.meta.url` of the module that the file lies beside
 * @param name of the file, such as `lease.sh`
 */
export function shellProgram(module: string, name: string): string {
  // Lines that hold a comment and nothing else. That none of them is part of a quoted text is tested (test/shell-programs.test.ts).
  return shellText(module, name)
    .replaceAll(/^[ \t]*#.*\n/gm, '')
    .trim();
}

/** The same with its comments, for a program that stays on a host, where people read it. What stands above the first empty line is left out. */
export function shellText(module: string, name: string): string {
  const { href } = new URL(name, module);
  const known = files.get(href);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(href), 'utf8').replace(/^(#.*\n)+/, '');
  files.set(href, text);
  return text;
}
