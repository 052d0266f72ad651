/** Whether words of redis.conf mean what `CONFIG GET` prints. */
export type Comparison = (words: readonly string[], live: string) => boolean;

/**
 * Whether two texts are one value to Redis, word by word: numbers, sizes in bytes (util.c, memtoull), words of its own in any case. What it
 * prints of those is in small letters; a text that is not, such as a path, must be the very same.
 */
export const sameWords: Comparison = (words, live) => {
  if (words.join(' ') === live) return true;
  const printed = live.split(/\s+/).filter(Boolean);
  return words.length === printed.length && words.every((word, i) => sameWord(word, printed[i] as string));
};

/** The same words in any order, each once. */
export const sameSet: Comparison = (words, live) =>
  sameWords(sorted(words.map((word) => word.toLowerCase())), sorted(live.split(/\s+/).filter(Boolean)).join(' '));

/** Names of one value, any of which may be printed. */
export function oneOf(names: readonly string[]): Comparison {
  return (words, live) => sameWords(words, live) || [words.join(' ').toLowerCase(), live].every((value) => names.includes(value));
}

/**
 * Classes of events as a set of letters. `A` stands for most of them, and beside it Redis does not print `n` (notify.c,
 * keyspaceEventsFlagsToString).
 */
export const flags: Comparison = (words, live) => lettersOf(words.join('')) === lettersOf(live);

/** Limits class by class, of those that are named; the others have their defaults. `slave` is the old name of `replica`. */
export const limitsOfClasses: Comparison = (words, live) => {
  const printed = classesOf(live.split(/\s+/).filter(Boolean));
  const given = classesOf(words);
  return [...given].every(([name, limits]) => sameWords(limits, printed.get(name)?.join(' ') ?? ''));
};

/**
 * The words of a line as Redis reads it (sds.c, sdssplitargs): between blanks, or quoted. Nothing where the quotes are not balanced, which
 * Redis refuses.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  const rest = line.replace(WORD, (_, quoted?: string, plain?: string, bare?: string) => {
    words.push(quoted !== undefined ? unescaped(quoted) : plain !== undefined ? plain.replaceAll("\\'", "'") : String(bare));
    return '';
  });
  return rest.trim() === '' ? words : undefined;
}

const WORD = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:\\'|[^'])*)'|([^\s"']+))(?=\s|$)/gy;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex?: string, letter?: string) =>
    hex === undefined ? (ESCAPES[String(letter)] ?? String(letter)) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1e3, kb: 2 ** 10, m: 1e6, mb: 2 ** 20, g: 1e9, gb: 2 ** 30 };

function sameWord(word: string, printed: string): boolean {
  if (word === printed) return true;
  const [size, live] = [sizeOf(word), sizeOf(printed)];
  if (size !== undefined || live !== undefined) return size === live;
  return /^[a-z][a-z0-9-]*$/.test(printed) && word.toLowerCase() === printed;
}

/** A number, or a size in bytes, as Redis reads it: its units in any case (redis.conf: "units are case insensitive"; util.c, memtoull). */
export function sizeOf(word: string): number | undefined {
  const [, count, unit = ''] = /^(-?\d+(?:\.\d+)?)([a-z]{0,2})$/i.exec(word) ?? [];
  const of = UNITS[unit.toLowerCase()];
  return count === undefined || of === undefined ? undefined : Number(count) * of;
}

function classesOf(words: readonly string[]): Map<string, readonly string[]> {
  const starts = words.flatMap((word, i) => (i % 4 === 0 ? [[word, i] as const] : []));
  return new Map(starts.map(([word, i]) => [word.toLowerCase().replace('slave', 'replica'), words.slice(i + 1, i + 4)]));
}

function lettersOf(text: string): string {
  const all = text.includes('A') ? text.replaceAll('n', '') : text;
  return sorted([...new Set(all.replaceAll('A', 'g$lshzxetd'))]).join('');
}

function sorted(words: readonly string[]): string[] {
  return [...words].sort();
}
