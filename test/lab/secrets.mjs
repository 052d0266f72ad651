#!/usr/bin/env node
// Writes .secrets/<environment>.env with a random value for every name in .secrets/example.env, or for one given name, that it does not have yet.
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const usage = 'Usage: node test/lab/secrets.mjs <environment> [--workspace <folder>] [--only <NAME>]';

function fail(message, next) {
  process.stderr.write(`secrets: ${message}\n${next ? `Next: ${next}\n` : ''}`);
  process.exit(1);
}

/** The names a file of KEY=value lines has, in its order. */
export function names(text) {
  return text
    .split('\n')
    .map((line) => /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=/.exec(line)?.[1])
    .filter((name) => name !== undefined);
}

/**
 * 40 characters of A-Z, a-z, 0-9, _ and -. The first is a letter, so that no option parser takes it for a flag; not "env…",
 * which MinIO takes for an address to fetch the value from.
 */
export function randomValue() {
  for (;;) {
    const value = randomBytes(30).toString('base64url');
    if (/^(?!env)[A-Za-z]/.test(value)) return value;
  }
}

/** Which provider the environment's file chooses; `file` where it says nothing, or is not there. */
export function providerOf(workspace, environment) {
  const file = join(workspace, 'infra/environments', `${environment}.json`);
  return (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).secrets?.provider) || 'file';
}

export function generate(workspace, environment, only) {
  const folder = join(workspace, '.secrets');
  const example = join(folder, 'example.env');
  const file = join(folder, `${environment}.env`);
  if (only === undefined && !existsSync(example)) fail(`${example} is missing; it lists the names`, 'git checkout -- .secrets/example.env');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (existsSync(file)) {
    if (!lstatSync(file).isFile()) fail(`${file} is not a plain file`, `ls -l ${file}`);
    chmodSync(file, 0o600);
  }
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const have = new Set(names(before));
  const wanted = only === undefined ? names(readFileSync(example, 'utf8')) : [only];
  const missing = wanted.filter((name) => !have.has(name));
  if (missing.length > 0) {
    const gap = before === '' || before.endsWith('\n') ? '' : '\n';
    replace(file, before + gap + missing.map((name) => `${name}=${randomValue()}\n`).join(''));
  }
  return { file, added: missing.length, kept: have.size };
}

// A run that is killed must leave the old file or the new one, never half of it.
function replace(file, text) {
  const part = `${file}.${process.pid}.part`;
  rmSync(part, { force: true });
  const fd = openSync(part, 'wx', 0o600);
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(part, file);
}

function main(argv) {
  const here = dirname(fileURLToPath(import.meta.url));
  let workspace = process.env.MOORING_WORKSPACE || resolve(here, '../..');
  let only;
  const rest = [];
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--help' || argv[i] === '-h') {
      process.stdout.write(`${usage}\n`);
      return;
    }
    if (argv[i] === '--workspace') workspace = resolve(argv[++i] ?? '.');
    else if (argv[i] === '--only') only = argv[++i] ?? fail('name the secret', usage);
    else rest.push(argv[i]);
  }
  const [environment] = rest;
  if (rest.length !== 1 || !/^[a-z][a-z0-9-]*$/.test(environment) || environment === 'example') fail('name one environment', usage);
  if (environment === 'prod')
    fail('secrets for prod are not generated here', 'write .secrets/prod.env yourself (0600), with the names of .secrets/example.env');
  const provider = providerOf(workspace, environment);
  if (provider !== 'file') {
    const told = `the secrets of ${environment} are of provider "${provider}": .secrets/${environment}.env is not read`;
    if (only !== undefined) fail(told, `npx nx g nx-mooring:secrets ${environment} --action=add --name=${only} --random`);
    process.stdout.write(`${told}; nothing written\n`);
    return;
  }
  const { added, kept } = generate(workspace, environment, only);
  process.stdout.write(`.secrets/${environment}.env: ${added} added, ${kept} kept\n`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
