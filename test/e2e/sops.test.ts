import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newIdentity } from '../../tools/executors/src/secrets/age.ts';
import { formatSecretLine } from '../../tools/executors/src/secrets/format.ts';
import { loadSecrets } from '../../tools/executors/src/secrets/load.ts';
import { secretsSchema } from '../../tools/executors/src/secrets/settings.ts';
import { hostileTexts } from '../hostile-texts.ts';
import { buildSops } from './sops.ts';
import { ended, REPOSITORY } from './workspace.ts';

/* The real sops, through the recipe of docs/secrets.md. It asks no host. */

let root: string;
let env: NodeJS.ProcessEnv;
let recipient: string;
/** As the documentation has it. */
let argv: string[];

beforeAll(async () => {
  const page = await readFile(join(REPOSITORY, 'docs/secrets.md'), 'utf8');
  argv = JSON.parse(/`(\["sops", "-d".*?\])`/.exec(page)?.[1] ?? '');
  const keys = await newIdentity();
  ({ recipient } = keys);
  root = await mkdtemp(join(tmpdir(), 'mooring-sops-'));
  await mkdir(join(root, 'infra/environments'), { recursive: true });
  await writeFile(join(root, 'key'), `${keys.identity.reveal()}\n`, { mode: 0o600 });
  const path = `${await buildSops()}${delimiter}${process.env.PATH}`;
  env = { ...process.env, PATH: path, SOPS_AGE_KEY_FILE: join(root, 'key') };
  // The program that is started gets this process's PATH.
  process.env.PATH = path;
}, 900_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** Encrypts a file in its place, as sops is used. */
async function encrypt(file: string, text: string, ...flags: string[]): Promise<void> {
  await writeFile(join(root, file), text);
  const { code, output } = await ended('sops', ['encrypt', '--in-place', '--age', recipient, ...flags, file], root, env);
  expect(code, output).toBe(0);
}

async function load(names: readonly string[], command: readonly string[]): Promise<Record<string, string>> {
  const secrets = secretsSchema.parse({ provider: 'command', argv: command, variables: ['SOPS_AGE_KEY_FILE'] });
  const found = await loadSecrets(root, { name: 'staging', secrets }, names, {
    infra: 'infra',
    variables: { SOPS_AGE_KEY_FILE: env.SOPS_AGE_KEY_FILE },
  });
  return Object.fromEntries([...found].map(([name, secret]) => [name, secret.reveal()]));
}

const values = Object.fromEntries(
  [
    ...hostileTexts.filter((text) => text !== ''),
    '"quoted"',
    "it's",
    '-----BEGIN KEY-----\nabc\n-----END KEY-----\n',
    'C:\\new',
    'a\r\nb',
  ].map((text, i) => [`VALUE_${i}`, text]),
);

it('values with quotes, blanks and several lines come through the documented recipe as they are', async () => {
  const lines = Object.entries(values).map(([name, value]) => `${formatSecretLine(name, value)}\n`);
  const file = argv.at(-1) as string;
  await encrypt(file, `# of staging\n${lines.join('')}`);
  expect(await readFile(join(root, file), 'utf8')).not.toContain('quoted');
  expect(await load(Object.keys(values), argv)).toEqual(values);
});

it('out of a JSON file such values are printed without quotes and are others: the page says so', async () => {
  const [plain, quoted, lines] = ['x7-Kq2 with blanks', '"quoted"', 'two\nlines'];
  await encrypt('infra/environments/staging.sops.json', JSON.stringify({ PLAIN: plain, QUOTED: quoted, LINES: lines }));
  const command = [...argv.slice(0, -1), 'infra/environments/staging.sops.json'];
  expect(await load(['PLAIN', 'QUOTED', 'LINES'], command)).toEqual({ PLAIN: plain, QUOTED: 'quoted', LINES: 'two\\nlines' });
});

it('without its key it fails before a host is asked, with the words of sops', async () => {
  await rm(join(root, 'key'));
  await expect(load(['VALUE_0'], argv)).rejects.toMatchObject({
    problems: [expect.objectContaining({ message: 'the command for the secrets of staging failed' })],
  });
});
