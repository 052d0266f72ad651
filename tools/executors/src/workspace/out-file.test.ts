import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { showError } from '../engine/errors.ts';
import { outFile, writeOut } from './out-file.ts';

const error = (act: () => unknown) => {
  try {
    return act();
  } catch (thrown) {
    return thrown;
  }
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-out-'));
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, 'file'), 'former');
  symlinkSync(join(root, 'nowhere'), join(root, 'link'));
  symlinkSync('no/such', join(root, 'lost'));
  symlinkSync('loop', join(root, 'loop'));
});
afterAll(() => rmSync(root, { recursive: true }));

it.each<[string, (root: string) => string, string]>([
  ['a name', () => 'plan.json', 'plan.json'],
  ['a name in a folder', () => 'folder/plan.json', 'folder/plan.json'],
  ['a path from outside', () => '../x/../plan.md', '../plan.md'],
  ['a file that is there', () => 'file', 'file'],
  ['a link that leads nowhere yet', () => 'link', 'link'],
  ['an absolute path', (at) => join(at, 'folder/plan.md'), 'folder/plan.md'],
])('%s is taken', (_, out, path) => expect(outFile(root, out(root))).toBe(join(root, path)));

it('an absolute path is one', () => expect(outFile(root, '/tmp/plan.md')).toBe('/tmp/plan.md'));

it.each<[string, string, string]>([
  ['a folder', 'folder', 'ROOT/folder is a folder'],
  ['the workspace', '.', 'ROOT is a folder'],
  ['a folder that is not there', 'new/', 'ROOT/new is a folder'],
  ['a file in a folder that is not there', 'no/such/plan.json', 'there is no folder ROOT/no/such'],
  ['a home that no shell has expanded', '~/plan.json', 'there is no folder ROOT/~'],
  ['a link into a folder that is not there', 'lost', 'there is no folder ROOT/no'],
  ['a link to itself', 'loop', 'ROOT/loop cannot be written (ELOOP)'],
  ['a name that no file can have', 'x'.repeat(300), `ROOT/${'x'.repeat(300)} cannot be written (ENAMETOOLONG)`],
  ['a file below a file', 'file/plan.json', 'ROOT/file is not a folder'],
  ['a file two below a file', 'file/x/plan.json', 'there is no folder ROOT/file/x'],
  ['nothing but blanks', '/', '/ is a folder'],
])('%s is refused', (_, out, cause) => {
  expect(() => outFile(root, out)).toThrow(`cannot write --out=${out}: ${cause.replaceAll('ROOT', root)}`);
});

it('says what to type', () => {
  const next = (out: string) => showError(error(() => outFile(root, out))).split('\n')[1];
  expect(next("it's/x")).toBe(`  next:    mkdir -p '${root}/it'\\''s'`);
  expect(next('~/plan.json')).toBe('  next:    write "$HOME" in place of ~, which no shell expands there');
});

it('what may not be written is refused', () => {
  // Root may write everything but what is on a file system that is only read.
  const out = process.getuid?.() === 0 ? '/sys/kernel/plan.json' : '/etc/plan.json';
  if (process.getuid?.() === 0) return expect(writeOut(out, '')).rejects.toThrow(`cannot write ${out}: E`);
  expect(() => outFile(root, out)).toThrow(`cannot write --out=${out}: /etc/plan.json cannot be written (EACCES)`);
});

it('is written with the mode that is asked for', async () => {
  await writeOut(join(root, 'secret'), 'x', 0o600);
  expect(readFileSync(join(root, 'secret'), 'utf8')).toBe('x');
  expect(statSync(join(root, 'secret')).mode & 0o777).toBe(0o600);
});
