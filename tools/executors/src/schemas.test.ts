import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXECUTORS, GENERATORS } from './schemas.ts';

const root = join(import.meta.dirname, '..');

type Entry = { readonly description: string; readonly schema: string; readonly implementation?: string; readonly factory?: string };

describe.each([
  ['executors', EXECUTORS],
  ['generators', GENERATORS],
])('%s.json', (kind, known: Readonly<Record<string, readonly unknown[]>>) => {
  const entries: Record<string, Entry> = JSON.parse(readFileSync(join(root, `${kind}.json`), 'utf8'))[kind];

  it('has all of them, described as the documents do', () => {
    const described = Object.entries(entries).map(([name, { description }]) => [name, description]);
    expect(Object.fromEntries(described)).toEqual(Object.fromEntries(Object.entries(known).map(([name, [, text]]) => [name, text])));
  });

  it.each(Object.keys(entries))('%s has a schema and a source of what it names', (name) => {
    const { schema, implementation, factory } = entries[name] as Entry;
    expect(existsSync(join(root, schema))).toBe(true);
    expect(
      existsSync(
        join(
          root,
          String(implementation ?? factory)
            .replace('./dist/', 'src/')
            .replace(/#.*/, '')
            .replace(/\.js$/, '.ts'),
        ),
      ),
    ).toBe(true);
  });
});
