import { isAbsolute, join } from 'node:path';
import { InputError, type MooringError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import { recipientOf } from './age.ts';
import { readPrivateFile } from './private-file.ts';
import type { SourceContext } from './types.ts';

/** The variable that holds a private key itself, for CI. */
export const IDENTITY = 'MOORING_AGE_IDENTITY';
/** The variable that names a file of private keys. */
export const IDENTITY_FILE = 'MOORING_AGE_IDENTITY_FILE';
/** Where the private key is when no variable says otherwise. */
export const DEFAULT_IDENTITY_FILE = '.secrets/age.key';

/** A person's or a machine's private keys with their public ones. */
export type Identities = {
  /** Where they are, for messages. */
  readonly from: string;
  readonly keys: readonly { readonly identity: Secret; readonly recipient: string }[];
};

/**
 * Finds the private keys: MOORING_AGE_IDENTITY, else the file that MOORING_AGE_IDENTITY_FILE names, else `.secrets/age.key`.
 * The file must be ours alone, as the secrets in clear must.
 *
 * @returns nothing where no variable is set and there is no file
 */
export async function findIdentities({
  root,
  variables,
}: Pick<SourceContext, 'root' | 'variables'>): Promise<Identities | { readonly problems: MooringError[] } | undefined> {
  const [text, named] = [variables[IDENTITY], variables[IDENTITY_FILE]];
  for (const [name, value] of [
    [IDENTITY, text],
    [IDENTITY_FILE, named],
  ]) {
    if (value?.trim() === '') return refused(`${name} is set and empty`, `give ${name} a value, or unset it`);
  }
  if (text !== undefined) return parseIdentities(text, IDENTITY);
  const file = named ?? DEFAULT_IDENTITY_FILE;
  const leaked = 'make a new key, re-encrypt without this one, and change every secret that it opens';
  const found = await readPrivateFile(isAbsolute(file) ? file : join(root, file), file, leaked);
  if (found !== undefined) return 'problems' in found ? found : parseIdentities(found.bytes.toString('utf8'), file);
  return named === undefined ? undefined : refused(`${file}, which ${IDENTITY_FILE} names, is not there`, `ls -l ${file}`);
}

/**
 * Reads private keys as age-keygen writes them: one in a line, `#` begins a comment.
 *
 * @param from as messages name the place; they never quote a line
 */
async function parseIdentities(text: string, from: string): Promise<Identities | { readonly problems: MooringError[] }> {
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }));
  const keys = await Promise.all(
    lines
      .filter(({ line }) => line !== '' && !line.startsWith('#'))
      .map(async ({ line, number }) => {
        const identity = new Secret(line);
        const recipient = await recipientOf(identity);
        return recipient === undefined ? number : { identity, recipient };
      }),
  );
  const wrong = keys.filter((key) => typeof key === 'number');
  if (wrong.length > 0)
    return refused(
      `${from}:${wrong[0]}: this is not a private key of age; expected AGE-SECRET-KEY-1…`,
      'age-keygen prints one; a key with a passphrase, of SSH or of a plugin needs provider "command" with age -d',
    );
  if (keys.length === 0) return refused(`${from} has no private key in it; expected AGE-SECRET-KEY-1…`, 'age-keygen prints one');
  return { from, keys: keys.filter((key) => typeof key !== 'number') };
}

function refused(message: string, next: string): { problems: MooringError[] } {
  return { problems: [new InputError(message, { next })] };
}
