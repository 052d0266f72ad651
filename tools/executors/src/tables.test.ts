import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { services } from './services/index.ts';
import { generatedRegions, replaceRegions } from './tables.ts';

it('each service has a section of the page of settings', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/settings.md'), 'utf8');
  for (const name of Object.keys(services)) expect(page).toContain(`<!-- generated:settings-${name} -->`);
});

it('has a table for every executor, every generator, every service and every file', async () => {
  const regions = await generatedRegions();
  expect(Object.keys(regions)).toEqual([
    'options',
    'generators',
    ...Object.keys(services).map((name) => `settings-${name}`),
    'app',
    'guest',
    'container',
    'environment',
    'storage',
  ]);
  expect(regions.options).toContain('### nx-mooring:converge');
  expect(regions.options).not.toContain('--step');
  expect(regions.generators).toContain('### nx-mooring:container');
});

it('tells of a field its name, what may stand there, its default and what it is', async () => {
  const { options = '', ...regions } = await generatedRegions();
  const row = (text: string | undefined, name: string) => text?.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
  expect(row(options, '--limit')).toBe('| `--limit` | number | `50` | How many entries, newest last |');
  expect(row(options, '--allow-dirty')).toMatch(/^\| `--allow-dirty` \| true or false \| `false` \|/);
  expect(row(regions['settings-redis'], 'password')).toBe(
    '| `password` | `{"secret": "NAME"}` | required | Password that clients use (AUTH). |',
  );
  expect(row(regions['settings-postgres'], 'version')).toMatch(/^\| `version` \| 15 to 99 or `debian` \| `16` \|/);
  expect(row(regions['settings-minio'], 'binary.sha256')).toMatch(/^\| `binary.sha256` \| text \| {2}\|/);
  expect(row(regions.environment, 'incus.project')).toMatch(/\| required \|/);
});

it('replaces what is between the marks, and nothing else', () => {
  const text = 'a\n<!-- generated:x -->\nold\n<!-- /generated:x -->\nb\n<!-- generated:y -->\n<!-- /generated:y -->\n';
  const wanted = 'a\n<!-- generated:x -->\n1\n<!-- /generated:x -->\nb\n<!-- generated:y -->\n2\n<!-- /generated:y -->\n';
  expect(replaceRegions(text, { x: '1', y: '2' }, 'a.md')).toBe(wanted);
  expect(replaceRegions(wanted, { x: '1', y: '2' }, 'a.md')).toBe(wanted);
  expect(() => replaceRegions(text, { y: '2' }, 'a.md')).toThrow('a.md: nothing generates x; known are y');
  expect(() => replaceRegions('<!-- generated:x -->\n', { x: '1' }, 'a.md')).toThrow('has no <!-- /generated:x --> after it');
});
