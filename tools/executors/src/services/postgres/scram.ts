import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../engine/secret.ts';

/** PostgreSQL's own default (`scram_iterations`). */
const ITERATIONS = 4096;

/**
 * A SCRAM-SHA-256 verifier as `pg_authid.rolpassword` holds it (RFC 5803; PostgreSQL manual, "pg_authid").
 *
 * @param salt random bytes, new for each verifier; from the caller, so that planning stays pure
 */
export function scramVerifier(password: Secret, salt: Buffer, iterations: number = ITERATIONS): Secret {
  const salted = pbkdf2Sync(password.reveal(), salt, iterations, 32, 'sha256');
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  return new Secret(`SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`);
}

/** Whether a stored verifier is one of this password: computed again with the verifier's own salt and iterations. */
export function verifierMatches(stored: string | null, password: Secret): boolean {
  const match = /^SCRAM-SHA-256\$(\d{1,7}):([A-Za-z0-9+/=]+)\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$/.exec(stored ?? '');
  // No password, or an MD5 hash: nothing that the desired state allows.
  if (match === null) return false;
  const wanted = Buffer.from(scramVerifier(password, Buffer.from(String(match[2]), 'base64'), Number(match[1])).reveal());
  const found = Buffer.from(String(stored));
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

/**
 * Whether all clients make the same bytes of a password. SASLprep (RFC 4013) maps some characters, but libpq falls back
 * to the raw bytes where RFC 3454's tables of Unicode 3.2 forbid something, node-postgres does not, and others
 * do no mapping at all. A password that the mapping leaves alone is the same for all of them.
 */
export function isPlainPassword(password: string): boolean {
  // RFC 3454, tables B.1 and C.1.2; the spaces of the latter that are not here NFKC changes too.
  const mapped = /\p{Variation_Selector}|\p{Join_Control}|[\u034F\u00AD\u1680\u1806\u200B\u2060\uFEFF]/u;
  return !password.includes('\0') && !mapped.test(password) && password.normalize('NFKC') === password;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
