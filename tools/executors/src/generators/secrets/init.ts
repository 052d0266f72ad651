import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError, ProblemsError } from '../../engine/errors.ts';
import { Secret } from '../../engine/secret.ts';
import { ordinaryWarnings } from '../../engine/secret-warnings.ts';
import { newIdentity } from '../../secrets/age.ts';
import { openAgeFile } from '../../secrets/age-file.ts';
import { envFile, envFileSource, SECRETS_FOLDER } from '../../secrets/env-file.ts';
import { formatSecretLine } from '../../secrets/format.ts';
import { DEFAULT_IDENTITY_FILE, IDENTITY, type Identities } from '../../secrets/identity.ts';
import type { Done } from '../shared/generator.ts';
import { appendLines } from '../shared/tree.ts';
import { withField } from './json-field.ts';
import { identitiesOf, openVault, writeVault } from './vault.ts';
import type { Work } from './work.ts';

/**
 * Prepares what is missing: your key, its public key in the list, the encrypted file (with the secrets in clear, where there are
 * some), the environment's `secrets`. The second time it does nothing; for who comes new to a team it makes key and entry.
 */
export async function initialiseSecrets(work: Work): Promise<Done> {
  const { tree, files, file, settings } = work;
  if (settings.provider === 'command')
    throw new InputError(`${file}: its secrets come from a command`, { next: 'take "secrets" out of it first' });
  const found = await identitiesOf(work);
  const identities = found ?? (await newKey(work));
  const listed = addRecipient(work, identities);
  const lines = [
    ...(found === undefined ? [`${DEFAULT_IDENTITY_FILE}: your new key. Keep a copy elsewhere: without a key the secrets are lost.`] : []),
    ...(listed ? [`${files.recipients}: your public key was added`] : []),
    ...(tree.exists(files.encrypted) ? await reencrypt(work, identities, listed) : await create(work, identities)),
  ];
  ignore(work);
  if (settings.provider === 'file') {
    tree.write(file, withField(tree.read(file, 'utf-8') ?? '', 'secrets', { provider: 'age' }));
    lines.push(`${file}: its secrets are in ${files.encrypted} from now on`);
  }
  return {
    lines: lines.length === 0 ? [`${files.encrypted}: everything is there; nothing to do`] : [...lines, ...nextSteps(work)],
    finish: async () => {
      if (found === undefined) writeKey(tree.root, identities);
      return [];
    },
  };
}

/** @throws InputError where it could not be written, before anything is encrypted to it */
async function newKey({ tree }: Work): Promise<Identities> {
  const folder = join(tree.root, SECRETS_FOLDER);
  const place = existsSync(folder) ? folder : tree.root;
  // On a tree that is only in memory there is no such place, and nothing is ever written.
  if (existsSync(place)) {
    try {
      accessSync(place, constants.W_OK);
    } catch {
      throw new InputError(`${DEFAULT_IDENTITY_FILE} cannot be written`, { next: `ls -ld ${place}` });
    }
  }
  return { from: DEFAULT_IDENTITY_FILE, keys: [await newIdentity()] };
}

/** Not through the tree: it makes files that everybody can read for a moment. An existing file is never replaced. */
function writeKey(root: string, { keys }: Identities): void {
  const path = join(root, DEFAULT_IDENTITY_FILE);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const text = keys.map(({ identity, recipient }) => `# public key: ${recipient}\n${identity.reveal()}\n`).join('');
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

/** @returns whether the public key was not in the list yet */
function addRecipient({ tree, files }: Work, { keys }: Identities): boolean {
  const text = tree.read(files.recipients, 'utf-8') ?? '';
  const lines = text.split('\n').map((line) => line.trim());
  if (keys.some(({ recipient }) => lines.includes(recipient))) return false;
  const head = text.trim() === '' ? [`# Who can read ${files.encrypted}: public keys of age, each below its owner.`] : [];
  const owner = `# ${userInfo().username}@${hostname()}`;
  appendLines(tree, files.recipients, [...head, owner, ...keys.slice(0, 1).map(({ recipient }) => recipient)]);
  return true;
}

/** The encrypted file, with the lines of the one in clear. */
async function create(work: Work, identities: Identities): Promise<string[]> {
  const { tree, options, files } = work;
  const { environment } = options;
  const { values, problems } = await envFileSource(tree.root, environment).read();
  if (problems.length > 0) throw new ProblemsError(`${envFile(environment)} cannot be taken over`, problems);
  const lines = [...values].map(([name, value]) => formatSecretLine(name, value.reveal()));
  await writeVault(work, new Secret([`# Secrets of ${environment}`, ...lines, ''].join('\n')), identities);
  if (values.size === 0) return [`${files.encrypted}: made, with no secrets in it yet`];
  return [
    `${files.encrypted}: made, with the secrets of ${envFile(environment)}: ${[...values.keys()].join(', ')}`,
    ...ordinaryWarnings(environment, values, []),
    `${envFile(environment)} is not read any more. Once a plan works: rm ${envFile(environment)}`,
  ];
}

/** Lets a key that was just added read the file, where we can. Somebody who comes new cannot: others have to. */
async function reencrypt(work: Work, identities: Identities, added: boolean): Promise<string[]> {
  if (!added) return [];
  const { tree, files, options } = work;
  const opened = await openAgeFile(tree.read(files.encrypted) ?? new Uint8Array(), files, identities, '');
  if (opened.problems.length > 0)
    return [
      `Commit ${files.recipients}; somebody who can read the secrets then runs: npx nx g nx-mooring:secrets ${options.environment} --action=reencrypt`,
    ];
  const vault = await openVault(work);
  await vault.write(vault.text);
  return [`${files.encrypted}: re-encrypted`];
}

/** The key and the files in clear must not be committed. */
function ignore({ tree }: Work): void {
  const lines = (tree.read('.gitignore', 'utf-8') ?? '').split('\n').map((line) => line.trim());
  if (!lines.some((line) => /^\/?\.secrets(?:\/\*{0,2})?$/.test(line)))
    appendLines(tree, '.gitignore', [`${SECRETS_FOLDER}/*`, `!${SECRETS_FOLDER}/example.env`]);
}

function nextSteps({ options, files }: Work): string[] {
  const { environment } = options;
  return [
    `Commit ${files.encrypted} and ${files.recipients}.`,
    `A new secret: npx nx g nx-mooring:secrets ${environment} --action=add --name=REDIS_PASSWORD --random`,
    `In CI a key of its own, in the variable ${IDENTITY}; its public key goes into ${files.recipients}, then --action=reencrypt.`,
  ];
}
