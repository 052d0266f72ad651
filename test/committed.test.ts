import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { secretNames } from '../tools/executors/src/engine/secret-reference.ts';
import { parseSecrets } from '../tools/executors/src/secrets/format.ts';
import { committedFiles, foundInCommitted } from './committed.ts';

/* Nothing that is committed here is a secret in clear. */

const ROOT = join(import.meta.dirname, '..');
const committed = committedFiles(ROOT);

/** Values of this machine's environments, where it has some, by file and name. */
function valuesHere(): Record<string, string> {
  const files = readdirSync(join(ROOT, '.secrets')).filter((file) => file.endsWith('.env') && file !== 'example.env');
  const found = files.flatMap((file) =>
    [...parseSecrets(readFileSync(join(ROOT, '.secrets', file), 'utf8'), file).values].map(([name, value]) => [
      `${file} ${name}`,
      value.reveal(),
    ]),
  );
  // A short value may be an ordinary word.
  return Object.fromEntries(found.filter(([, value]) => String(value).length >= 12));
}

it('the files are found', () => {
  expect(committed.length).toBeGreaterThan(500);
  expect(committed.map(({ file }) => file)).toContain('infra/redis/container.json');
});

it('no value of an environment of this machine is in a tracked file', () => expect(foundInCommitted(ROOT, valuesHere())).toEqual([]));

it('of .secrets, only the names are tracked', () => {
  const tracked = committed.filter(({ file }) => file.startsWith('.secrets/'));
  expect(tracked.map(({ file }) => file)).toEqual(['.secrets/example.env']);
  const { values } = parseSecrets(tracked[0]?.text ?? '', 'example.env');
  expect(values.size).toBeGreaterThan(0);
  for (const [name, value] of values) expect(value.reveal(), name).toBe('');
});

it('no private key is in a tracked file, of age or any other kind', () => {
  const key = /AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{40}|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}/;
  expect(committed.filter(({ text }) => key.test(text)).map(({ file }) => file)).toEqual([]);
});

it('what sounds like a secret in the files of infra is a reference', () => {
  const files = committed.filter(({ file }) => /^infra\/(?:[\w-]+\/)+[\w-]+\.json$/.test(file) && !file.includes('/sample/'));
  expect(files.flatMap(({ text }) => secretNames(JSON.parse(text))).length).toBeGreaterThan(5);
  for (const { file, text } of files) {
    const inClear = [...text.matchAll(/"(\w*(?:password|secret|token|cookie|accessKey|deployKey)\w*)": *"([^"]*)"/gi)];
    expect(
      inClear.map(([, name]) => name).filter((name) => name !== 'secret' && name !== 'tokenId'),
      file,
    ).toEqual([]);
  }
});
