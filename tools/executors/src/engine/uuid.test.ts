import { expect, it } from 'vitest';
import { uuidOf } from './uuid.ts';

it('says of random bytes that they are a random UUID, and keeps all others', () => {
  expect(uuidOf(new Uint8Array(16).fill(0xff))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  expect(uuidOf(new Uint8Array(16))).toBe('00000000-0000-4000-8000-000000000000');
});
