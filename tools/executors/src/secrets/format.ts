import { InputError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import { secretName } from '../engine/secret-reference.ts';

/**
 * Parses the text of a secrets file. The grammar, line by line (ends: LF or CRLF):
 *
 * - empty, or `#` as the first letter: nothing.
 * - `NAME=value`: the value as it stands, without the blanks around it; `#`, `$`, quotes and backslashes inside it are part of it.
 * - `NAME='value'`: everything between the quotes as it stands, blanks too; no `'` inside.
 * - `NAME="value"`: as with `'`, but `\n`, `\r`, `\t`, `\"` and `\\` are what they say; no other backslash, no bare `"`.
 *
 * Nothing is ever expanded: `$HOME` and `$(id)` are six and five letters. `NAME` is upper case, digits and `_`, each once.
 *
 * @param file as messages name it
 * @returns values by name; empty ones are in it. Problems by line, which never quote a value.
 */
export function parseSecrets(text: string, file: string): { values: Map<string, Secret>; problems: InputError[] } {
  const values = new Map<string, Secret>();
  const lines = new Map<string, number>();
  const problems: InputError[] = [];
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const problem = (what: string, next: string) => problems.push(new InputError(`${file}:${i + 1}: ${what}`, { next }));
    const equals = line.indexOf('=');
    const name = line.slice(0, Math.max(equals, 0)).trim();
    if (!secretName.safeParse(name).success) {
      problem('this is not a NAME=value line with an upper-case NAME', 'a value of several lines is one line in double quotes, with \\n');
      continue;
    }
    const before = lines.get(name);
    if (before !== undefined) {
      problem(`${name} is there already, in line ${before}`, 'take one of the two out');
      continue;
    }
    lines.set(name, i + 1);
    const value = unquote(line.slice(equals + 1).trim());
    if (typeof value === 'string') values.set(name, new Secret(value));
    else problem(`the value of ${name} ${value.problem}`, value.next);
  }
  return { values, problems };
}

/** As {@link parseSecrets}, for bytes that must be UTF-8. */
export function parseSecretsBytes(bytes: Uint8Array, file: string): { values: Map<string, Secret>; problems: InputError[] } {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return {
      values: new Map(),
      problems: [new InputError(`${file} is not UTF-8`, { next: 'write it as UTF-8; what is not text goes in as base64' })],
    };
  }
  return parseSecrets(text, file);
}

/** A line of a secrets file that {@link parseSecrets} reads back as this value. @throws InputError for a NUL, which no line can hold */
export function formatSecretLine(name: string, value: string): string {
  if (value.includes('\0')) throw new InputError(`${name} has a NUL in it`, { next: 'encode it, as base64 for example' });
  if (/^[\w.+/=:@%^,~-]+$/.test(value)) return `${name}=${value}`;
  if (!/['\n\r]/.test(value)) return `${name}='${value}'`;
  return `${name}="${value.replace(/[\\"\n\r]/g, (letter) => `\\${{ '\n': 'n', '\r': 'r' }[letter] ?? letter}`)}"`;
}

/** The text of a secrets file with another value of one secret: in its line, or in a new one at the end. The rest stays as it is. */
export function withSecret(text: string, name: string, value: string): string {
  const line = formatSecretLine(name, value);
  const lines = text.replace(/\n*$/, '').split('\n');
  const at = lines.findIndex(
    (one) =>
      one.trim().startsWith(name) &&
      one
        .slice(one.indexOf(name) + name.length)
        .trim()
        .startsWith('='),
  );
  const rest = lines.length === 1 && lines[0] === '' ? [] : lines;
  return `${(at === -1 ? [...rest, line] : rest.with(at, line)).join('\n')}\n`;
}

function unquote(text: string): string | { problem: string; next: string } {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return text;
  if (text.length < 2 || !text.endsWith(quote)) {
    return {
      problem: `begins with ${quote} and does not end with it`,
      next: `a value that begins with a quote is put into quotes of the other kind`,
    };
  }
  const inner = text.slice(1, -1);
  if (quote === "'") {
    return inner.includes("'")
      ? { problem: "has a ' inside of single quotes", next: 'put it in double quotes; \\" and \\\\ stand for " and \\ there' }
      : inner;
  }
  if (!/^(?:[^"\\]|\\[nrt"\\])*$/.test(inner)) {
    return {
      problem: 'has a bare " or an unknown backslash inside of double quotes',
      next: 'write \\" and \\\\; \\n, \\r and \\t are the only others',
    };
  }
  return inner.replace(/\\(.)/g, (_, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] ?? letter);
}
