// Its own set-up, then types, lint, generated files, unit, model, contract and end-to-end tests on the lab, and the tests in the virtual
// machine. --fast leaves out the virtual machine, --acceptance is that alone. Uses nothing but Node: it runs before `npm ci`. The lab and the
// virtual machine are left as they were found, up or down. The last line counts the tests.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modulesAreCurrent, pluginIsCurrent } from './quickstart/modules.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');
const lab = join(root, 'test/lab/lab.sh');
const vm = join(root, 'test/acceptance/vm.sh');
const reports = mkdtempSync(join(tmpdir(), 'mooring-test-'));
/** Built once, for all tests. */
const MINIO = ['MinIO binaries', join(bin, 'nx'), 'run', 'minio:artifact', '--output-style=static'];
const totals = { passed: 0, failed: 0 };
let env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };

/** Runs a program, its output shown. @returns its exit code */
function run(program, ...args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      console.error(String(error));
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 255));
  });
}

async function timed(title, work) {
  const began = performance.now();
  console.log(`\n=== ${title}`);
  const result = await work();
  console.log(`=== ${title}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return result;
}

/** A step that everything after it needs. */
async function must(title, program, ...args) {
  if ((await timed(title, () => run(program, ...args))) === 0) return;
  totals.failed += 1;
  throw new Error(`${title} failed: nothing after it can be tested`);
}

/** A check that counts as one test. */
async function check(title, program, ...args) {
  const code = await timed(title, () => run(program, ...args));
  totals[code === 0 ? 'passed' : 'failed'] += 1;
}

/** A run of vitest; each of its tests counts, and a file that cannot be loaded counts as failed. */
async function tests(title, ...args) {
  const file = join(reports, `${title}.json`);
  const code = await timed(title, () =>
    run(join(bin, 'vitest'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args),
  );
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  totals.passed += numPassedTests;
  // A failed hook leaves its tests unrun: what did not run has not passed.
  totals.failed += Math.max(numFailedTests + numPendingTests, code === 0 ? 0 : 1);
}

async function main() {
  const [only, ...more] = process.argv.slice(2);
  if (more.length > 0 || !['--fast', '--acceptance', undefined].includes(only)) {
    throw new Error(`unknown: ${process.argv.slice(2).join(' ')}; expected nothing, --fast or --acceptance`);
  }
  if (!modulesAreCurrent(root)) await must('npm ci', 'npm', 'ci', '--no-audit', '--no-fund');
  if (!(await pluginIsCurrent(root))) await must('build', 'npm', 'run', 'build', '--silent');
  await must('Go', lab, 'go');
  const go = spawnSync(lab, ['go', '--print'], { encoding: 'utf8' }).stdout.trim();
  env = { ...env, PATH: [bin, go, process.env.PATH].filter(Boolean).join(':') };
  if (only !== '--acceptance') {
    // Else its tests would be left out, and what is left out has not passed.
    await must('shellcheck', lab, 'shellcheck');
    await check('types', join(bin, 'tsc'), '--noEmit');
    await check('lint and format', join(bin, 'biome'), 'check', '--error-on-warnings');
    await check('imports', join(bin, 'depcruise'), '--config', '.dependency-cruiser.mjs', 'tools/executors/src');
    await check('generated files are fresh', join(bin, 'node'), 'tools/executors/generate.mjs', '--check');
    await tests('unit');
    await attempt(() => onLab({ buildAhead: only !== '--fast' }));
  }
  if (only !== '--fast') await attempt(acceptance);
}

/** A part that cannot be set up has failed; the others are tested all the same. */
async function attempt(part) {
  await part().catch((error) => console.error(`\n${error.message}`));
}

/** The real servers, in a real Incus. */
async function onLab({ buildAhead }) {
  const wasUp = spawnSync('incus', ['info'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
  const doubleRan = /^mooring-pve +pid/m.test(spawnSync(lab, ['status'], { encoding: 'utf8' }).stdout);
  try {
    await must('lab', lab, 'staging');
    await must('Proxmox double', lab, 'proxmox');
    if (buildAhead) beginToBuild();
    await must(...MINIO);
    await tests('contract', '--config', 'test/contract/vitest.config.ts');
    await tests('end-to-end', '--config', 'test/e2e/vitest.config.ts');
  } finally {
    if (!wasUp) await timed('lab down', () => run(lab, 'down'));
    else if (!doubleRan) await timed('Proxmox double stop', () => run(lab, 'proxmox-stop'));
  }
}

/**
 * The virtual machine is built while the tests on the lab, which leave a processor idle, run: `vm.sh up` then waits for the rest of it, and
 * tells what is wrong with it.
 */
function beginToBuild() {
  spawn('nice', ['-n', '10', vm, 'build'], { cwd: root, env, stdio: 'ignore' }).on('error', (error) => console.error(String(error)));
}

/** Real OpenZFS. A machine that cannot be built or does not boot is a failure like any other. */
async function acceptance() {
  const ran = /^machine +pid/m.test(spawnSync(vm, ['status'], { encoding: 'utf8' }).stdout);
  try {
    await must(...MINIO);
    await must('virtual machine', vm, 'up');
    await tests('acceptance', '--config', 'test/acceptance/vitest.config.ts');
  } finally {
    if (!ran) await timed('virtual machine stop', () => run(vm, 'stop'));
  }
}

await main().catch((error) => console.error(`\n${error.message}`));
rmSync(reports, { recursive: true, force: true });
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
