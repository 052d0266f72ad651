import { MooringError, ProblemsError } from './errors.ts';
import { isNameOrWord, ordinary } from './ordinary.ts';
import { HIDDEN, type Secret } from './secret.ts';

/** A text in which no secret is left. It is not searched again: what would be found in JSON may be a part of its syntax. */
export class CleanText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Puts `(secret)` in the place of secrets. The last net under all output: error texts of the real tools may quote what they were given. */
export type Redactor = {
  /** A text for a reader. */
  text(text: string | CleanText): string;
  /** A value as JSON. Its texts are searched one by one, so its keys and its syntax stay what they are. */
  json(value: unknown, indent?: number): CleanText;
  /** What an error carries, its cause and its problems too. @returns the same error */
  error(error: unknown): unknown;
};

/**
 * Secrets that are {@link ordinary} are a case of their own, for the names of things stay: `veza-local-minio`, where a user is `minio`. Such a
 * secret is hidden where it stands alone, and not within a name or a path. One that *is* a name, or a word of our own output, is told
 * from the thing by an assignment only: `MINIO_ROOT_USER=minio`.
 *
 * @param names of things that outputs name
 */
export function redactor(secrets: Iterable<Secret>, names: Iterable<string> = []): Redactor {
  const known = new Set(names);
  const values = [...new Set([...secrets].map((secret) => secret.reveal()))].filter((value) => value !== '');
  const isOrdinary = (value: string) => ordinary(value, known) !== undefined;
  const hide = hideEverywhere(values.filter((value) => !isOrdinary(value)));
  const hideOrdinary = hideAlone(values.filter(isOrdinary), known);
  const text = (given: string | CleanText) => (given instanceof CleanText ? given.text : hideOrdinary(hide(given)));
  return {
    text,
    // A key is the name of a field, which an ordinary secret may equal.
    json: (value, indent) => new CleanText(JSON.stringify(mapTexts(JSON.parse(JSON.stringify(value)), { text, key: hide }), null, indent)),
    error: (error) => cleanError(error, text),
  };
}

/** A function that hides values wherever they stand, also in the middle of a word: raw, quoted, URL-encoded and in base64. */
export function hideEverywhere(values: Iterable<string>): (text: string) => string {
  const all = [...values].flatMap((value) => [value, ...linesOf(value)]);
  return hideForms(all.flatMap((value) => [...writtenForms(value), ...base64Forms(value)]));
}

/** Lines of a private key are told one by one, or indented. One that stands in other texts too is none of its own. */
function linesOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => ordinary(line) === undefined && !/^-----(BEGIN|END) [A-Z ]+-----$/.test(line));
}

/** Overlapping finds are one: what is left of the second would be shown. */
function hideForms(forms: readonly string[]): (text: string) => string {
  const needles = [...new Set(forms)].filter((form) => form !== '');
  return (text) => {
    const found = needles.flatMap((needle) => occurrences(text, needle)).sort((a, b) => a.from - b.from);
    let clean = '';
    let shown = 0;
    for (const { from, to } of found) {
      if (from >= shown) clean += text.slice(shown, from) + HIDDEN;
      shown = Math.max(shown, to);
    }
    return clean + text.slice(shown);
  };
}

function occurrences(text: string, needle: string): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (let from = text.indexOf(needle); from !== -1; from = text.indexOf(needle, from + 1)) found.push({ from, to: from + needle.length });
  return found;
}

/** As it is, and as JSON, a shell, a URL and a form write it. */
function writtenForms(value: string): string[] {
  const url = encodeURIComponent(value.toWellFormed());
  const lowerCase = url.replaceAll(/%../g, (letter) => letter.toLowerCase());
  const form = new URLSearchParams([['', value]]).toString().slice(1);
  return [value, JSON.stringify(value).slice(1, -1), value.replaceAll("'", "'\\''"), url, lowerCase, form];
}

/** Shorter parts of an encoding stand in other texts by chance; in characters. */
const ENCODED = 4;

/** In base64 and base64url, beside anything: the encoding of a text depends on where it starts modulo 3, and its ends mix with the neighbours. */
function base64Forms(value: string): string[] {
  return ['', ' ', '  '].flatMap((before) => {
    const encoded = Buffer.from(before + value)
      .toString('base64')
      .replace(/=+$/, '');
    const stable = encoded.slice(before === '' ? 0 : before.length + 1, -1);
    return stable.length < ENCODED ? [] : [stable, stable.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** Shorter values are not looked for: they stand in every text. In characters. */
const SEARCHED = 4;
/** What names are made of, besides dots between them. */
const LETTER = String.raw`[\p{L}\p{N}_-]`;
/** An absolute path; not what follows the scheme of a URL. */
const PATH = String.raw`(?<![^\s"'\u0060(=[,;:])/(?!/)[^\s"'\u0060(),;:=&@|<>?]+`;
/** In front of the value of an assignment. An option is none: `--configuration=local` is what somebody is to type. */
const ASSIGNED = String.raw`(?<=(?<![\w-])[A-Za-z_]\w*=["']?)`;

function hideAlone(values: readonly string[], names: ReadonlySet<string>): (text: string) => string {
  if (values.length === 0) return (text) => text;
  const isLong = (value: string) => [...value].length >= SEARCHED;
  const searched = values.filter((value) => isLong(value) && !isNameOrWord(value, names));
  const alone = longestFirst(searched.flatMap(writtenForms)).map(standingAlone);
  const assigned = values.filter((value) => !searched.includes(value)).map((value) => ASSIGNED + standingAlone(value));
  const kept = longestFirst([...names].filter((name) => searched.some((value) => name.includes(value)))).map(standingAlone);
  const pattern = new RegExp([...assigned, `(?<name>${[...kept, PATH].join('|')})`, ...alone].join('|'), 'gu');
  const hideEncoded = hideForms(
    values
      .filter(isLong)
      .flatMap(base64Forms)
      .filter((form) => ![...names].some((name) => name.includes(form))),
  );
  return (text) => hideEncoded(text.replace(pattern, (found, ...rest) => (rest.at(-1).name === undefined ? HIDDEN : found)));
}

function longestFirst(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort((a, b) => b.length - a.length);
}

/** A pattern for a text that is not a part of a longer name. */
function standingAlone(text: string): string {
  const before = new RegExp(`^${LETTER}`, 'u').test(text) ? `(?<!${LETTER})(?<!${LETTER}\\.)` : '';
  const after = new RegExp(`${LETTER}$`, 'u').test(text) ? `(?!${LETTER})(?!\\.${LETTER})` : '';
  return before + text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&') + after;
}

type Hide = (text: string) => string;

/** A value of JSON with its texts and its keys changed. */
function mapTexts(value: unknown, hide: { text: Hide; key: Hide }): unknown {
  if (typeof value === 'string') return hide.text(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [hide.key(key), mapTexts(item, hide)]));
}

function cleanError(error: unknown, text: Hide): unknown {
  if (!(error instanceof Error)) return error;
  error.message = text(error.message);
  if (error.stack !== undefined) error.stack = text(error.stack);
  if (error instanceof ProblemsError) for (const problem of error.problems) cleanError(problem, text);
  if (error instanceof MooringError)
    for (const part of ['command', 'stderr', 'next'] as const) {
      const said = error.detail[part];
      if (said !== undefined) error.detail[part] = text(said);
    }
  cleanError(error.cause, text);
  return error;
}
