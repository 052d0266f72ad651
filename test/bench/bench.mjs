// npm run bench: how fast the no-op and the first deploy are, against what the same work costs by itself. docs/benchmarks.md says
// what is measured. This file sets up what is missing (with any Node from 20 on) and hands over to main.ts.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { modulesAreCurrent, pluginIsCurrent } from '../../tools/quickstart/modules.mjs';

const USAGE = `Usage: npm run bench -- [--runs N] [--deploys N] [--quick] [--json]

  --runs N     no-ops timed for each number of containers (7; with --quick 3)
  --deploys N  first deploys timed, each with new containers (2; with --quick 1)
  --quick      Redis only: 1 and 4 containers
  --json       every single time as JSON on stdout, nothing else there`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const bin = join(root, 'node_modules/.bin');
const lab = join(root, 'test/lab/lab.sh');
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };

/** The command line's flags with their defaults. @throws Error for what is none */
function readOptions() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string' },
      deploys: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const count = (name, otherwise) => {
    const text = values[name] ?? String(otherwise);
    if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error(`--${name}: found ${JSON.stringify(text)}; expected a number from 1 to 999`);
    return Number(text);
  };
  const { quick, json, help } = values;
  return { runs: count('runs', quick ? 3 : 7), deploys: count('deploys', quick ? 1 : 2), quick, json, help };
}

/** Runs a program to its end. What set-up prints goes to stderr: stdout is for the figures. @throws Error when it fails */
function run(program, args, stdout = 2) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', stdout, 'inherit'] });
    // An interrupted bench still takes away what it made, so it is waited for.
    const pass = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass);
    child.on('error', reject);
    child.on('close', (code) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, pass);
      if (code === 0) resolve();
      else reject(new Error(`${[program, ...args].join(' ')} ended with ${code}`));
    });
  });
}

async function main() {
  const { help, ...options } = readOptions();
  if (help) return console.log(USAGE);
  if (!modulesAreCurrent(root)) await run('npm', ['ci', '--no-audit', '--no-fund']);
  if (!(await pluginIsCurrent(root))) await run('npm', ['run', 'build', '--silent']);
  await run(lab, ['staging']);
  if (!options.quick) {
    await run(lab, ['go']);
    await run(join(bin, 'nx'), ['run', 'minio:artifact', '--output-style=static']);
  }
  await run(join(bin, 'node'), [join(root, 'test/bench/main.ts'), JSON.stringify(options)], 'inherit');
}

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
