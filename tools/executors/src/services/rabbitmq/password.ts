import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../engine/secret.ts';

/** RabbitMQ's hashing modules by the name of the digest. Any other module is a plugin's. */
const digests: Readonly<Record<string, string>> = {
  rabbit_password_hashing_sha256: 'sha256',
  rabbit_password_hashing_sha512: 'sha512',
  rabbit_password_hashing_md5: 'md5',
};

/**
 * Whether a stored hash is the one of this password: 4 bytes of salt, then the digest of salt and password (RabbitMQ manual,
 * "Credentials and Passwords", "This is the algorithm"). So no password has to go over to be compared.
 *
 * @param hash base64, as the node stores it
 * @param algorithm the hashing module that the user was stored with; one that is not known cannot be compared and is no match
 */
export function passwordMatches(password: Secret, hash: string, algorithm: string): boolean {
  const digest = digests[algorithm];
  const stored = Buffer.from(hash, 'base64');
  if (digest === undefined || stored.length <= 4) return false;
  const computed = createHash(digest).update(stored.subarray(0, 4)).update(password.reveal(), 'utf8').digest();
  return computed.length === stored.length - 4 && timingSafeEqual(computed, stored.subarray(4));
}
