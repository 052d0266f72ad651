// Puts the documentation into the package, where the last line of an error names it; after packing (`--remove`) it goes again. Links that
// lead out of docs/ are text there, but for the one to the package's own README.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const packed = join(here, 'docs');

rmSync(packed, { recursive: true, force: true });
if (process.argv[2] !== '--remove') {
  cpSync(join(here, '..', '..', 'docs'), packed, { recursive: true });
  for (const file of readdirSync(packed).filter((name) => name.endsWith('.md'))) {
    const path = join(packed, file);
    const text = readFileSync(path, 'utf8')
      .replaceAll('](../tools/executors/README.md', '](../README.md')
      .replaceAll(/\[([^\]]+)\]\(\.\.\/(?!README\.md)[^)]+\)/g, '$1');
    writeFileSync(path, text);
  }
}
