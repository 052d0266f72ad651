// Compiles the plugin into dist and records what it was compiled from, so that a stale build is refused (src/plugin/fresh.ts).
// Types are not checked here: `npm run check` does that.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `nx-mooring needs Node 22.18 or newer; this is Node ${process.versions.node}.\n  next: npm run build (it uses the Node of node_modules/.bin)`,
  );
  process.exit(1);
}

const fresh = join(here, 'dist');
const building = join(here, `dist.${process.pid}`);
const former = `${building}.former`;
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
try {
  mkdirSync(building, { recursive: true });
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.json'), '--outDir', building, '--noCheck'], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('tsc failed; the former build was left as it is');
  // tsc (6.0) leaves a dynamic import as it is inside `export default <expression>`: name the value first, then export it.
  const left = readdirSync(building, { recursive: true }).filter(
    (file) => file.endsWith('.js') && /\bimport\(\s*['"]\.[^'"]*\.ts['"]/.test(readFileSync(join(building, file), 'utf8')),
  );
  if (left.length > 0) throw new Error(`import('….ts') was left in ${left.join(', ')}: write "const x = …; export default x"`);
  // Each beside the module that reads it (src/shell/program.ts).
  for (const file of readdirSync(join(here, 'src'), { recursive: true }).filter((path) => path.endsWith('.sh'))) {
    copyFileSync(join(here, 'src', file), join(building, file));
  }
  const { hashSources } = await import(pathToFileURL(join(building, 'plugin', 'source-hash.js')).href);
  writeFileSync(join(building, '.source-hash'), `${hashSources(here)}\n`);
  // Swapped in at the end, and by renames: a command that begins meanwhile would not find what is being deleted.
  if (existsSync(fresh)) renameSync(fresh, former);
  renameSync(building, fresh);
  rmSync(former, { recursive: true, force: true });
} catch (error) {
  console.error(`nx-mooring was not built: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(building, { recursive: true, force: true });
}
