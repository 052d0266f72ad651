import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { isPlainPassword, scramVerifier, verifierMatches } from './scram.ts';

// Written by PostgreSQL 15.20 itself (CREATE ROLE … PASSWORD '…').
const real = [
  [
    'pencil',
    'SCRAM-SHA-256$4096:k1Ow3OoaNLxSyQB66yEFXw==$jDpf81VGh7PIIeF++aXRSdCWRR8d1fIySBteLlP9YDk=:GT6ygkfLkP0vWdXtiWrZgAkkV6/J9KCE7yDDiOFbxiU=',
  ],
  [
    'pässwörd-日本語-🙂',
    'SCRAM-SHA-256$4096:HJqWk/cN5pD4v2FNsKka+g==$lSsaRgMCOxU9+p5vdRQAQiB9tfO7eQxnfJgIFh8jr10=:NzzmlQX16V4UwASM+9wZox3PmlqyVQURzuLavfSykqg=',
  ],
] as const;

test.each(real)('PostgreSQL’s own verifier of %s', (password, stored) => {
  expect(verifierMatches(stored, new Secret(password))).toBe(true);
  expect(verifierMatches(stored, new Secret(`${password} `))).toBe(false);
  const [, salt = ''] = /:([^$]+)\$/.exec(stored) ?? [];
  expect(scramVerifier(new Secret(password), Buffer.from(salt, 'base64')).reveal()).toBe(stored);
});

test.each([null, '', 'md547b4d4c0fbc8390acf7b3e5da3a9b9b8', 'SCRAM-SHA-256$4096:$:', 'pencil'])(
  '%j is no verifier of anything',
  (stored) => {
    expect(verifierMatches(stored, new Secret('pencil'))).toBe(false);
  },
);

test('a verifier matches its own password only, whatever the salt', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, fc.uint8Array({ minLength: 16, maxLength: 16 }), (one, other, salt) => {
      const stored = scramVerifier(new Secret(one), Buffer.from(salt), 2).reveal();
      expect(verifierMatches(stored, new Secret(one))).toBe(true);
      expect(verifierMatches(stored, new Secret(other))).toBe(one === other);
    }),
    { numRuns: 50 },
  );
});

test('a verifier prints as a secret', () => {
  expect(String(scramVerifier(new Secret('pencil'), Buffer.alloc(16)))).toBe('(secret)');
});

test.each(['plain', 'new\nline\t', `'"\\$()`, 'é', '日本語', '🙂', 'עברית', '\u007f'])('%j is the same to all clients', (password) => {
  expect(isPlainPassword(password)).toBe(true);
});

test.each(['e\u0301', 'ﬁ', 'ª', 'a\u200db', 'a\u00a0b', '\u3000', '☺\ufe0f', '\u00ad', '\ufeffx', 'a\0b'])('%j is not', (password) => {
  expect(isPlainPassword(password)).toBe(false);
});
