#!/usr/bin/env node
// Writes .secrets/<environment>.env with a random value for every name in .secrets/example.env, or for one given name, that it does not have yet.
// On a machine with a lab the values are the lab's: every clone has the same ones, or a deploy from one would rotate them under another.
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
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

const usage = `Usage: node test/lab/secrets.mjs <environment> [--workspace <folder>] [--only <NAME>] [--lab <folder> | --own]

  --lab  the lab whose values they are; when left out, the one of this machine, if it has one
  --own  values of this workspace's own, whatever lab there is`;

const LAB = process.env.MOORING_LAB_DIR || '/var/lib/mooring-lab';

class Problem extends Error {
  constructor(message, next) {
    super(message);
    this.next = next;
  }
}

function fail(message, next) {
  throw new Problem(message, next);
}

/** The lines `NAME=value` of a text, as they stand, by name. */
function entries(text) {
  const found = text.split('\n').map((line) => /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line));
  return new Map(found.filter((match) => match !== null).map(([, name, value]) => [name, value]));
}

/** The names a file of KEY=value lines has, in its order. */
export function names(text) {
  return [...entries(text).keys()];
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

/**
 * Gives the workspace the values that it does not have yet: the lab's, or new ones, which are the lab's from then on. What the workspace has
 * and the lab does not becomes the lab's too: that is the clone which the lab was made for. Nothing is ever replaced.
 *
 * @param lab its folder; undefined for values of the workspace's own
 * @throws Problem when both have a value and they differ: only a person knows which one the services have
 */
export function generate(workspace, environment, { only, lab } = {}) {
  const folder = join(workspace, '.secrets');
  const example = join(folder, 'example.env');
  if (only === undefined && !existsSync(example)) fail(`${example} is missing; it lists the names`, 'git checkout -- .secrets/example.env');
  const wanted = only === undefined ? names(readFileSync(example, 'utf8')) : [only];
  const own = openFile(folder, environment);
  if (lab === undefined) return { file: own.file, ...added(own, new Map(missing(own, wanted).map((name) => [name, randomValue()]))) };
  return locked(lab, () => {
    const shared = openFile(join(lab, 'secrets'), environment);
    const differing = wanted.filter((name) => own.values.has(name) && shared.values.has(name) && !same(own, shared, name));
    if (differing.length > 0)
      fail(
        `${own.file} and the lab's ${shared.file} differ in ${differing.join(', ')}: nothing was written. ` +
          "A deploy from here would change these secrets under the clones that have the lab's",
        `to use the lab's: mv ${own.file} ${own.file}.old, then the same command again; or to make these the lab's: cp ${own.file} ${shared.file}`,
      );
    const known = (name) => own.values.get(name) ?? randomValue();
    // The lab's first: what is written there is not lost when this is ended in the middle.
    added(shared, new Map(missing(shared, wanted).map((name) => [name, known(name)])));
    return { file: own.file, ...added(own, new Map(missing(own, wanted).map((name) => [name, shared.values.get(name)]))) };
  });
}

const missing = ({ values }, wanted) => wanted.filter((name) => !values.has(name));

/** A value in quotes is the same as without them. */
function same(one, other, name) {
  const plain = (text) => text.replace(/^(["'])(.*)\1$/, '$2');
  return plain(one.values.get(name)) === plain(other.values.get(name));
}

/** A file of secrets in a folder that nobody else can read. */
function openFile(folder, environment) {
  const file = join(folder, `${environment}.env`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (existsSync(file)) {
    if (!lstatSync(file).isFile()) fail(`${file} is not a plain file`, `ls -l ${file}`);
    chmodSync(file, 0o600);
  }
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return { file, text, values: entries(text) };
}

/** Adds values to a file; what is in it stays as it is. */
function added(opened, values) {
  const kept = opened.values.size;
  if (values.size > 0) {
    const gap = opened.text === '' || opened.text.endsWith('\n') ? '' : '\n';
    replace(opened.file, opened.text + gap + [...values].map(([name, value]) => `${name}=${value}\n`).join(''));
    for (const [name, value] of values) opened.values.set(name, value);
  }
  return { added: values.size, kept };
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

const LOCK_MS = 10_000;

/** Two clones that ask at once must not both make a value. */
function locked(lab, work) {
  const lock = join(lab, 'secrets.lock');
  const end = Date.now() + LOCK_MS;
  while (!taken(lock)) {
    if (Date.now() > end)
      fail(
        `another command has been writing the lab's secrets for ${LOCK_MS / 1000} s`,
        `see what it is: cat ${lock}; if nothing runs any more: rm ${lock}`,
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  try {
    return work();
  } finally {
    rmSync(lock);
  }
}

function taken(lock) {
  try {
    const fd = openSync(lock, 'wx', 0o600);
    writeSync(fd, String(process.pid));
    closeSync(fd);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isLeftBehind(lock)) rmSync(lock, { force: true });
    return false;
  }
}

/** Of a process that is no more. */
function isLeftBehind(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Its number may not be written yet.
    if (pid === 0) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** The folder of the machine's lab; nothing where there is none. @throws Problem when it is not for this user */
function labOfMachine() {
  if (!existsSync(LAB)) return undefined;
  try {
    accessSync(LAB, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    fail(
      `${LAB}, where the secrets of this machine's lab are, is not yours`,
      'the same command as root; or --own, for a workspace that does not use the lab',
    );
  }
  return LAB;
}

function main(argv) {
  const here = dirname(fileURLToPath(import.meta.url));
  let workspace = process.env.MOORING_WORKSPACE || resolve(here, '../..');
  let only;
  let lab;
  let isOwn = false;
  const rest = [];
  const value = (i, what) => argv[i] ?? fail(`name the ${what}`, usage);
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--help' || argv[i] === '-h') {
      process.stdout.write(`${usage}\n`);
      return;
    }
    if (argv[i] === '--workspace') workspace = resolve(value(++i, 'workspace'));
    else if (argv[i] === '--only') only = value(++i, 'secret');
    else if (argv[i] === '--lab') lab = resolve(value(++i, 'folder of the lab'));
    else if (argv[i] === '--own') isOwn = true;
    else rest.push(argv[i]);
  }
  const [environment] = rest;
  if (rest.length !== 1 || !/^[a-z][a-z0-9-]*$/.test(environment) || environment === 'example') fail('name one environment', usage);
  if (only !== undefined && !/^[A-Z][A-Z0-9_]*$/.test(only)) fail(`${only} is no name of a secret: upper case, digits and _`, usage);
  if (isOwn && lab !== undefined) fail('--lab and --own do not go together', usage);
  if (environment === 'prod')
    fail('secrets for prod are not generated here', 'write .secrets/prod.env yourself (0600), with the names of .secrets/example.env');
  const provider = providerOf(workspace, environment);
  if (provider !== 'file') {
    const told = `the secrets of ${environment} are of provider "${provider}": .secrets/${environment}.env is not read`;
    if (only !== undefined) fail(told, `npx nx g nx-mooring:secrets ${environment} --action=add --name=${only} --random`);
    process.stdout.write(`${told}; nothing written\n`);
    return;
  }
  const { added, kept } = generate(workspace, environment, { only, lab: isOwn ? undefined : (lab ?? labOfMachine()) });
  process.stdout.write(`.secrets/${environment}.env: ${added} added, ${kept} kept\n`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    process.stderr.write(`secrets: ${error.message}\n${error.next ? `Next: ${error.next}\n` : ''}`);
    process.exitCode = 1;
  }
}
