import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mooring-architecture-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the lint of imports says of some files of the plugin. */
function lint(files: Readonly<Record<string, string>>): { code: number | null; output: string } {
  for (const [file, text] of Object.entries({ 'tsconfig.json': '{}', ...files })) {
    const path = join(folder, file.endsWith('.ts') ? `tools/executors/src/${file}` : file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const { status, stdout, stderr } = spawnSync(
    join(root, 'node_modules', '.bin', 'depcruise'),
    ['--config', join(root, '.dependency-cruiser.mjs'), '--no-cache', 'tools/executors/src'],
    { cwd: folder, encoding: 'utf8' },
  );
  return { code: status, output: stdout + stderr };
}

it('takes what the table of docs/architecture.md allows', () => {
  const { code, output } = lint({
    'engine/a.ts': 'export const a = 1;',
    'hosts/b.ts': "import { a } from '../engine/a.ts';\nexport const b = a;",
  });
  expect(output).toContain('no dependency violations found');
  expect(code).toBe(0);
});

it.each([
  ['a value', "import { b } from '../hosts/b.ts';\nexport const a = b;"],
  ['a type', "import type { B } from '../hosts/b.ts';\nexport type A = B;"],
  ['a value, when it is needed', "export const a = async () => (await import('../hosts/b.ts')).b;"],
])('fails on a wrong arrow: %s', (_, text) => {
  const { code, output } = lint({ 'engine/a.ts': text, 'hosts/b.ts': 'export const b = 1;\nexport type B = number;' });
  expect(output).toContain('engine may import nothing: tools/executors/src/engine/a.ts → tools/executors/src/hosts/b.ts');
  expect(code).not.toBe(0);
});

it('fails on a circle, of types too', () => {
  const { code, output } = lint({
    'engine/a.ts': "import type { B } from './b.ts';\nexport type A = B | 1;",
    'engine/b.ts': "import type { A } from './a.ts';\nexport type B = { a: A };",
  });
  expect(output).toContain('no circle: tools/executors/src/engine/a.ts');
  expect(code).not.toBe(0);
});

it('fails on a room that has no row', () => {
  const { code, output } = lint({
    'engine/a.ts': 'export const a = 1;',
    'cellar/b.ts': "import { a } from '../engine/a.ts';\nexport const b = a;",
  });
  expect(output).toContain('a room without a row: tools/executors/src/cellar/b.ts');
  expect(code).not.toBe(0);
});
