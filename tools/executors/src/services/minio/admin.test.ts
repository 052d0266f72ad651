import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encrypt } from './admin.ts';

it('encrypts as madmin-go does', () => {
  // madmin.DecryptData of github.com/minio/madmin-go/v3 v3.0.109 gives the text back from these bytes.
  expect(encrypt('pässword', '{"secretKey":"x"}', Buffer.alloc(32, 7), Buffer.alloc(8, 9)).toString('hex')).toBe(
    '0707070707070707070707070707070707070707070707070707070707070707020909090909090909a5e8c51a90a77a60675c1930bb397ee071161bf62fda45f989c18b5dad3a2d52ab',
  );
});

it('encrypts any text, with new random numbers each time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (given) => {
      // A lone surrogate is no text; UTF-8 has no bytes for it.
      const text = given.toWellFormed();
      const bytes = encrypt('password', text);
      expect(bytes.subarray(0, 32)).not.toEqual(encrypt('password', text).subarray(0, 32));
      const key = pbkdf2Sync('password', bytes.subarray(0, 32), 8192, 32, 'sha256');
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.concat([bytes.subarray(33, 41), Buffer.from([1, 0, 0, 0])]));
      expect(decipher.update(bytes.subarray(41, -16)).toString()).toBe(text);
    }),
    { numRuns: 20 },
  );
});

it('refuses what does not fit in one fragment', () => {
  expect(() => encrypt('password', 'x'.repeat(17_000))).toThrow('too long');
});
