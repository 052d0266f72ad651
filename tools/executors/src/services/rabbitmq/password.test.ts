import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { passwordMatches } from './password.ts';

const SHA256 = 'rabbit_password_hashing_sha256';

// RabbitMQ manual, "Credentials and Passwords": the password test12 with the salt 908D C60A.
const MANUAL = 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR';

it("knows the manual's example", () => {
  expect(passwordMatches(new Secret('test12'), MANUAL, SHA256)).toBe(true);
});

it.each([
  ['another password', 'test13', MANUAL, SHA256],
  ['another algorithm', 'test12', MANUAL, 'rabbit_password_hashing_sha512'],
  ["a plugin's algorithm", 'test12', MANUAL, 'some_plugin'],
  ['a user without a password', 'test12', '', SHA256],
  ['a salt and nothing else', 'test12', 'kI3GCg==', SHA256],
])('says no to %s', (_, password, hash, algorithm) => {
  expect(passwordMatches(new Secret(password), hash, algorithm)).toBe(false);
});
