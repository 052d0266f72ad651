// Generates what is derived from the zod schemas: schema.json of the executors, schemas/*.schema.json of the workspace's files.
// With --check it writes nothing and fails when a file is not up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const { executorSchemas, fileSchemas } = await import('./src/schemas.ts');

const generated = { ...executorSchemas(), ...(await fileSchemas()) };
const stale = [];
for (const [file, schema] of Object.entries(generated)) {
  const path = join(here, file);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(relative(root, path));
  if (process.argv.includes('--check')) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`not up to date: ${stale.join(', ')}\n  next: npm run generate`);
  process.exitCode = 1;
} else {
  console.log(stale.length === 0 ? 'generated files are up to date' : `written: ${stale.join(', ')}`);
}
