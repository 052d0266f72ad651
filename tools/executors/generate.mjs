// Generates what is derived from the table of verbs and the zod schemas: executors.json and its entry points, schema.json of the executors and generators, schemas/*.schema.json of the workspace's files,
// the tables of options, settings and errors in documents.
// With --check it writes nothing and fails when a file is not up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const { entriesSource, executorSchemas, executorsJson, fileSchemas, generatorSchemas } = await import('./src/schemas.ts');
const { generatedRegions, replaceRegions } = await import('./src/tables.ts');
const { errorRegions } = await import('./src/error-tables.ts');

/** Documents with generated regions, relative to the workspace. */
const DOCUMENTS = ['tools/executors/README.md', 'docs/settings.md', 'docs/environments.md', 'docs/apps.md', 'docs/errors.md'];

const schemas = Object.entries({
  'executors.json': executorsJson(),
  ...executorSchemas(),
  ...generatorSchemas(),
  ...(await fileSchemas()),
});
const regions = { ...(await generatedRegions()), ...errorRegions(join(here, 'src')) };
const documents = DOCUMENTS.map((file) => [join(root, file), file]).filter(([path]) => existsSync(path));
const generated = [
  [join(here, 'src', 'executors', 'entries.ts'), entriesSource()],
  ...schemas.map(([file, schema]) => [join(here, file), `${JSON.stringify(schema, null, 2)}\n`]),
  ...documents.map(([path, file]) => [path, replaceRegions(readFileSync(path, 'utf8'), regions, file)]),
];
const stale = [];
for (const [path, text] of generated) {
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
