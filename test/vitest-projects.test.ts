import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** A name that Vitest does not know is no error beside one that it knows: those tests would just not run. */
it('names only projects of Vitest that there are', () => {
  const known = [...read('vitest.config.ts').matchAll(/name: '([^']+)'/g)].map(([, name]) => name);
  const tools = readdirSync(join(root, 'tools')).flatMap((file) => (file.endsWith('.mjs') ? [`tools/${file}`] : []));
  const named = ['package.json', 'test/project.json', ...tools].flatMap((file) =>
    [...read(file).matchAll(/--project=(?:'([^']+)'|([\w-]+))/g)].map(([, quoted, plain]) => quoted ?? plain),
  );
  expect(named).toContain('unit');
  expect(known).toEqual(expect.arrayContaining(named));
});
