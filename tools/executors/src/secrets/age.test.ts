import { describe, expect, test } from 'vitest';
import { Secret } from '../engine/secret.ts';
import { decryptAge, encryptAge, isRecipient, newIdentity, recipientOf } from './age.ts';

const TEXT = 'REDIS_PASSWORD=hunter2\n';
const ann = await newIdentity();
const bob = await newIdentity();
const file = Buffer.from(await encryptAge(new Secret(TEXT), [ann.recipient, bob.recipient]));

const decrypt = async (bytes: Uint8Array, ...identities: Secret[]) => {
  const opened = await decryptAge(bytes, identities);
  return 'plain' in opened ? Buffer.from(opened.plain).toString() : opened.failure;
};
/** The file with one letter of its armored body changed. */
const changed = (at: number) => {
  const text = file.toString();
  const place = text.indexOf('\n') + 1 + at;
  return Buffer.from(`${text.slice(0, place)}${text[place] === 'A' ? 'B' : 'A'}${text.slice(place + 1)}`);
};

describe('an encrypted file', () => {
  test('is opened by each key that it was encrypted to, whichever other keys there are', async () => {
    expect(await decrypt(file, ann.identity)).toBe(TEXT);
    expect(await decrypt(file, (await newIdentity()).identity, bob.identity)).toBe(TEXT);
  });

  test('is text, has nothing of its content in it, and is never twice the same', async () => {
    expect(file.toString()).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n([A-Za-z0-9+/=]+\n)+-----END AGE ENCRYPTED FILE-----\n$/);
    expect(Buffer.from(await encryptAge(new Secret(TEXT), [ann.recipient]))).not.toEqual(file);
  });

  test('may have the line ends of Windows, or no armor', async () => {
    const { armor } = await import('age-encryption');
    expect(await decrypt(Buffer.from(file.toString().replaceAll('\n', '\r\n')), ann.identity)).toBe(TEXT);
    expect(await decrypt(armor.decode(file.toString()), ann.identity)).toBe(TEXT);
  });

  test('may be encrypted to post-quantum keys', async () => {
    const { generateHybridIdentity } = await import('age-encryption');
    const identity = new Secret(await generateHybridIdentity());
    const recipient = (await recipientOf(identity)) ?? '';
    expect(await decrypt(Buffer.from(await encryptAge(new Secret(TEXT), [recipient])), identity)).toBe(TEXT);
  });
});

describe('what cannot be opened says why', () => {
  test('a file for others', async () => expect(await decrypt(file, (await newIdentity()).identity)).toBe('other recipients'));
  test('a file with a passphrase', async () => {
    const { Encrypter } = await import('age-encryption');
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(2);
    encrypter.setPassphrase('x');
    expect(await decrypt(await encrypter.encrypt(TEXT), ann.identity)).toBe('other recipients');
  });
  test.each([
    ['header', 100],
    ['body', -1],
  ])('a file whose %s was changed', async (_, at) => {
    const place = at < 0 ? file.toString().indexOf('\n-----END') - file.toString().indexOf('\n') - 8 : at;
    expect(await decrypt(changed(place), ann.identity)).toMatch(/^(damaged|other recipients)$/);
  });
  test('a file that was cut off', async () => {
    expect(await decrypt(file.subarray(0, file.length - 60), ann.identity)).toBe('damaged');
    const { armor } = await import('age-encryption');
    expect(await decrypt(armor.decode(file.toString()).slice(0, -5), ann.identity)).toBe('damaged');
  });
  test('one with the marks of a merge in it', async () => {
    expect(await decrypt(Buffer.from(file.toString().replace('\n', '\n<<<<<<< HEAD\n')), ann.identity)).toBe('damaged');
  });
  test('a file in clear, an empty one', async () => {
    expect(await decrypt(Buffer.from(TEXT), ann.identity)).toBe('no age file');
    expect(await decrypt(Buffer.from('\n'), ann.identity)).toBe('empty');
  });
});

test('keys are known from what only looks like one', async () => {
  expect(await recipientOf(ann.identity)).toBe(ann.recipient);
  expect(await recipientOf(new Secret(`${ann.identity.reveal()}Q`))).toBeUndefined();
  expect(await isRecipient(ann.recipient)).toBe(true);
  for (const other of [ann.recipient.slice(0, -1), ann.identity.reveal(), `ssh-ed25519 ${'A'.repeat(68)}`, 'age1', ''])
    expect(await isRecipient(other), other).toBe(false);
});
