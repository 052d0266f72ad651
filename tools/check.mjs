// The fast loop: types, lint and format, imports, unit tests, documents, generated files. No lab. Everything runs at the same time; what failed is printed at the end.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };

if (!existsSync(join(bin, 'vitest'))) {
  console.log('npm ci: node_modules is missing');
  const { status } = spawnSync('npm', ['ci'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

const checks = {
  types: ['tsc', '--noEmit', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/check.tsbuildinfo'],
  'lint and format': ['biome', 'check', '--error-on-warnings', '--colors=off'],
  imports: ['depcruise', '--config', '.dependency-cruiser.mjs', 'tools/executors/src'],
  'unit tests': ['vitest', 'run', '--reporter=dot', '--project=unit', '--project=proxmox', '--project=docs'],
  'generated files': ['node', 'tools/executors/generate.mjs', '--check'],
};

const started = Date.now();
const results = await Promise.all(Object.entries(checks).map(([name, command]) => run(name, command)));
for (const { name, output } of results.filter(({ code }) => code !== 0)) console.log(`\n--- ${name} ---\n${output.trimEnd()}`);
console.log(
  `\n${results.map(({ name, code, seconds }) => `${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`).join('\n')}`,
);
console.log(`${((Date.now() - started) / 1000).toFixed(1)} s`);
process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0;

/** Runs one check to its end; its output is kept. */
function run(name, [program, ...args]) {
  return new Promise((resolve) => {
    const begun = Date.now();
    const child = spawn(join(bin, program), args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (text) => {
      output += text;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = (code) => resolve({ name, code, output, seconds: (Date.now() - begun) / 1000 });
    child.on('error', (error) => {
      keep(error.message);
      end(1);
    });
    child.on('close', end);
  });
}
