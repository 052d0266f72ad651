/**
 * Gives options back the text that was typed. Nx makes a number of what looks like one (yargs-parser, `looksLikeNumber`):
 * `--before=123456789012` is a number, `--to=1e3` is 1000. What was typed stands in the arguments that it has not parsed.
 *
 * @param options as nx gives them
 * @param words the command line's options, unparsed: `['--before=0x10', '--lease-take', '1e3']`
 */
export function asTyped(options: Readonly<Record<string, unknown>>, words: readonly string[]): Record<string, unknown> {
  const typed = valuesOf(words);
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, textOf(value, typed.get(name) ?? [])]));
}

/** A value that was not made of what was typed comes from a file, where it means what its type says. */
function textOf(value: unknown, typed: readonly string[]): unknown {
  if (Array.isArray(value))
    return value.length === typed.length && value.every((one, i) => isMadeOf(one, typed[i] as string)) ? typed : value;
  if (!typed.some((text) => isMadeOf(value, text))) return value;
  // Of `--lease-take=a --leaseTake=b` nx gives the one that comes last.
  return typed.length === 1 ? typed[0] : typed;
}

function isMadeOf(value: unknown, text: string): boolean {
  // 12e4567 is Infinity, which is null once nx has handed it over as JSON.
  if (value === null) return Number(text) === Number.POSITIVE_INFINITY;
  return value === text || (typeof value === 'number' ? Number(text) === value : typeof value === 'boolean' && text === String(value));
}

/** The values that each option was given, by its name as the schema spells it. One without a value counts for nothing: it is no text. */
function valuesOf(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [i, word] of words.entries()) {
    if (word === '--') break;
    const [, name, value = valueAfter(words, i)] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (name !== undefined && value !== undefined) found.set(camel(name), [...(found.get(camel(name)) ?? []), unquoted(value)]);
  }
  return found;
}

/** What follows an option is its value, unless it is an option itself; a negative number is a value (yargs-parser `isUnknownOptionAsArg`). */
function valueAfter(words: readonly string[], i: number): string | undefined {
  const next = words[i + 1];
  return next === undefined || (next.startsWith('-') && !/^-\.?\d/.test(next)) ? undefined : next;
}

/** Quotes that reach nx go with it, too (yargs-parser, `stripQuotes`). */
function unquoted(value: string): string {
  return /^(["'])[\s\S]*\1$/.test(value) && value.length > 1 ? value.slice(1, -1) : value;
}

/** As nx does it (`params.js`, `camelCase`). */
function camel(name: string): string {
  return name.indexOf('-') > 1 ? name.toLowerCase().replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) : name;
}
