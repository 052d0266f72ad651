import { InputError, ProblemsError, SafetyError } from '../../engine/errors.ts';
import { Secret } from '../../engine/secret.ts';
import { decryptAge, encryptAge } from '../../secrets/age.ts';
import { noIdentity, openAgeFile } from '../../secrets/age-file.ts';
import { findIdentities, type Identities } from '../../secrets/identity.ts';
import { parseRecipients } from '../../secrets/recipients.ts';
import type { Work } from './work.ts';

/** An encrypted file that was opened. */
export type Vault = {
  /** Its lines in clear. */
  readonly text: Secret;
  readonly values: ReadonlyMap<string, Secret>;
  /** Writes other lines, encrypted to the public keys as they are now. @returns those keys */
  write(text: Secret): Promise<readonly string[]>;
};

/** Opens the environment's encrypted file with the key of this machine. @throws ProblemsError, InputError, SafetyError */
export async function openVault(work: Work): Promise<Vault> {
  const { tree, files } = work;
  const identities = await identitiesOf(work);
  if (identities === undefined) throw noIdentity(files);
  const bytes = tree.read(files.encrypted);
  if (bytes === null) throw new InputError(`${files.encrypted} is not there`, { next: `the same command with --action=init` });
  const { values, problems } = await openAgeFile(bytes, files, identities, tree.read(files.recipients, 'utf-8') ?? '');
  if (problems.length > 0) throw new ProblemsError(`${files.encrypted} cannot be changed`, problems);
  const text = await decrypted(bytes, identities);
  return { text, values, write: (changed) => writeVault(work, changed, identities) };
}

/** The private keys of this machine. @throws ProblemsError for a file of keys that must not be used */
export async function identitiesOf({ tree, edge }: Work): Promise<Identities | undefined> {
  const found = await findIdentities({ root: tree.root, variables: edge.variables });
  if (found !== undefined && 'problems' in found) throw new ProblemsError('the private key cannot be used', found.problems);
  return found;
}

/**
 * Writes the encrypted file, once it is proved that a key of this machine opens it again.
 *
 * @returns the public keys that it is encrypted to
 * @throws ProblemsError for a file of public keys that is not right; SafetyError when it does not have ours
 */
export async function writeVault({ tree, files }: Work, text: Secret, identities: Identities): Promise<readonly string[]> {
  const { recipients, problems } = await parseRecipients(tree.read(files.recipients, 'utf-8') ?? '', files.recipients);
  if (problems.length > 0) throw new ProblemsError('there is nobody to encrypt to', problems);
  const own = identities.keys.map(({ recipient }) => recipient);
  if (!own.some((recipient) => recipients.includes(recipient)))
    throw new SafetyError(
      `${files.recipients} does not have the key in ${identities.from}: you could not read ${files.encrypted} any more`,
      {
        next: `add ${own.join(' or ')}, or let somebody else do this`,
      },
    );
  const encrypted = await encryptAge(text, recipients);
  if ((await decrypted(Buffer.from(encrypted), identities)).reveal() !== text.reveal())
    throw new SafetyError(`${files.encrypted} would not be read back as it was written: it was not written`);
  tree.write(files.encrypted, encrypted);
  return recipients;
}

async function decrypted(bytes: Uint8Array, { keys }: Identities): Promise<Secret> {
  const opened = await decryptAge(
    bytes,
    keys.map(({ identity }) => identity),
  );
  if ('failure' in opened) throw new SafetyError(`what was encrypted is not opened again: ${opened.failure}`);
  return new Secret(Buffer.from(opened.plain).toString('utf8'));
}
