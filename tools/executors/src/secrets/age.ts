import { Secret } from '../engine/secret.ts';

/*
 * The age file format (https://age-encryption.org/v1), by `age-encryption`. It is loaded when it is needed: most runs decrypt nothing.
 */

/** Why a file could not be decrypted. */
export type AgeFailure = 'empty' | 'no age file' | 'other recipients' | 'damaged';

const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';
const HEADER = 'age-encryption.org/v1\n';

/**
 * Decrypts a file, armored or not.
 *
 * @param identities private keys, one each; any that fits is enough
 */
export async function decryptAge(
  file: Uint8Array,
  identities: readonly Secret[],
): Promise<{ plain: Uint8Array } | { failure: AgeFailure }> {
  const { armor, Decrypter } = await import('age-encryption');
  const text = Buffer.from(file).toString('latin1').trim();
  if (text === '') return { failure: 'empty' };
  const armored = text.startsWith(ARMOR);
  if (!armored && !text.startsWith(HEADER)) return { failure: 'no age file' };
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity.reveal());
  try {
    return { plain: await decrypter.decrypt(armored ? armor.decode(text) : file) };
  } catch (error) {
    // The one failure that is not the file's own has no class of its own; its text is checked by age.test.ts.
    const other = error instanceof Error && error.message.startsWith('no identity matched');
    return { failure: other ? 'other recipients' : 'damaged' };
  }
}

/** Encrypts a text to all of these public keys; armored, so that git shows and merges lines. Never twice the same. */
export async function encryptAge(plain: Secret, recipients: readonly string[]): Promise<string> {
  const { armor, Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return `${armor.encode(await encrypter.encrypt(plain.reveal())).trimEnd()}\n`;
}

/** A new key pair of the kind that age-keygen makes. */
export async function newIdentity(): Promise<{ identity: Secret; recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await generateX25519Identity();
  return { identity: new Secret(identity), recipient: await identityToRecipient(identity) };
}

/** The public key of a private one; nothing when it is none that we know. */
export async function recipientOf(identity: Secret): Promise<string | undefined> {
  const { identityToRecipient } = await import('age-encryption');
  // A bad checksum throws at once, a bad length in the promise.
  return Promise.resolve()
    .then(() => identityToRecipient(identity.reveal()))
    .catch(() => undefined);
}

/** Whether a text is a public key that can be encrypted to. */
export async function isRecipient(text: string): Promise<boolean> {
  const { Encrypter } = await import('age-encryption');
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}
