import { randomBytes } from 'node:crypto';
import { Secret } from '../engine/secret.ts';

/**
 * A new value: 40 characters of A-Z, a-z, 0-9, _ and -. The first is a letter, so that no option parser takes it for a flag; not
 * "env…", which MinIO takes for an address to fetch the value from.
 */
export function randomSecret(): Secret {
  for (;;) {
    const value = randomBytes(30).toString('base64url');
    if (/^(?!env)[A-Za-z]/.test(value)) return new Secret(value);
  }
}
