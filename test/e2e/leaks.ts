import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The forms that a secret may be found in: as it is, in base64 wherever it may stand in it, and URL-encoded. */
export function formsOf(secret: string): Readonly<Record<string, string>> {
  const base64 = [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset, 'x'), Buffer.from(secret)]);
    // The letters that are made of our bits alone.
    return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
  });
  const url = encodeURIComponent(secret);
  return {
    raw: secret,
    ...Object.fromEntries(base64.map((text, offset) => [`base64 at ${offset}`, text])),
    ...Object.fromEntries(base64.map((text, offset) => [`base64url at ${offset}`, text.replaceAll('+', '-').replaceAll('/', '_')])),
    'URL-encoded': url,
    'URL-encoded, lower case': url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    'form-encoded': url.replaceAll('%20', '+'),
  };
}

/** Where which secret was found: `REDIS_PASSWORD (raw) in the output of nx: …`, with what stands before it. */
export function leaks(secrets: Readonly<Record<string, string>>, places: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(formsOf(secret)).flatMap(([form, text]) =>
      Object.entries(places).flatMap(([place, content]) => {
        const at = content.indexOf(text);
        return at < 0 ? [] : [`${name} (${form}) in ${place}: ${JSON.stringify(content.slice(Math.max(0, at - 120), at))}`];
      }),
    ),
  );
}

/** All files below some folders that have changed since a time, by path; no links are followed. */
export function filesSince(since: number, folders: readonly string[], except: readonly string[] = []): Record<string, string> {
  const below = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (except.includes(path)) return [];
      return entry.isDirectory() ? below(path) : entry.isFile() ? [path] : [];
    });
  const paths = folders.flatMap((folder) => (statSync(folder, { throwIfNoEntry: false }) === undefined ? [] : below(folder)));
  return Object.fromEntries(paths.filter((path) => statSync(path).mtimeMs >= since).map((path) => [path, readFileSync(path, 'utf8')]));
}
