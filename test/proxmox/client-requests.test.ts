import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { showError } from '../../tools/executors/src/engine/errors.ts';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import { openProxmox } from '../../tools/executors/src/platforms/proxmox/client.ts';
import { CertificateError, UnreachableError } from '../../tools/executors/src/platforms/proxmox/errors.ts';
import { connectionTo, listener, OK } from './listener.ts';
import { TOKEN_ID, TOKEN_SECRET, testCertificate } from './testing.ts';

const anything = z.unknown();
const OTHER = 'AA:'.repeat(31).concat('AA');

describe('the server is proved first', () => {
  it.each([
    ['another fingerprint', { fingerprint: OTHER }],
    ['an authority that did not sign it', { ca: otherAuthority() }],
    ['nothing but what this machine trusts', {}],
    ['the right fingerprint and the wrong authority', { fingerprint: testCertificate().fingerprint, ca: otherAuthority() }],
    ['the right authority and another fingerprint', { fingerprint: OTHER, ca: testCertificate().cert }],
  ])('with %s not a byte of a request arrives', async (_, proof) => {
    const { port, bytes } = await listener(OK);
    const client = openProxmox(connectionTo(port, proof));
    for (const call of [
      client.get(['version'], anything),
      client.post(['nodes', 'pve', 'lxc'], anything, { password: new Secret('hunter2') }),
    ]) {
      const error = await call.catch((e: unknown) => e);
      expect(error).toBeInstanceOf('fingerprint' in proof && proof.fingerprint === OTHER ? CertificateError : UnreachableError);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bytes()).toBe('');
    client.close();
  });

  it('says both fingerprints', async () => {
    const { port } = await listener(OK);
    const error = await openProxmox(connectionTo(port, { fingerprint: OTHER }))
      .get(['version'], anything)
      .catch((e: unknown) => e);
    expect(showError(error)).toContain(`it offers ${testCertificate().fingerprint}, pinned is ${OTHER}`);
  });

  it.each([
    ['its fingerprint', () => ({ fingerprint: testCertificate().fingerprint })],
    ['its fingerprint in another spelling', () => ({ fingerprint: testCertificate().fingerprint.replaceAll(':', '').toLowerCase() })],
    ['its authority', () => ({ ca: testCertificate().cert })],
  ])('with %s the call arrives, and the token in its header only', async (_, proof) => {
    const { port, bytes } = await listener(OK);
    const client = openProxmox(connectionTo(port, proof()));
    await client.get(['nodes', 'p/ve', 'lxc'], anything, { type: 'a b&c', full: true, none: undefined });
    expect(bytes()).toMatch(/^GET \/api2\/json\/nodes\/p%2Fve\/lxc\?type=a\+b%26c&full=1 HTTP\/1\.1\r\n/);
    expect(bytes()).toContain(`authorization: PVEAPIToken=${TOKEN_ID}=${TOKEN_SECRET}\r\n`);
    expect(bytes().split(TOKEN_SECRET)).toHaveLength(2);
    client.close();
  });
});

it.each(['post', 'put'] as const)('%s sends a form with its length, in one piece', async (method) => {
  const { port, bytes } = await listener(OK);
  const client = openProxmox(connectionTo(port, { fingerprint: testCertificate().fingerprint }));
  await client[method](['nodes', 'pve', 'lxc'], anything, { 'ssh-public-keys': 'a+b =c\né', password: new Secret('pass&word') });
  const [head = '', body] = bytes().split('\r\n\r\n');
  expect(body).toBe('ssh-public-keys=a%2Bb+%3Dc%0A%C3%A9&password=pass%26word');
  expect(head).toContain(`content-length: ${body?.length}`);
  expect(head).toContain('content-type: application/x-www-form-urlencoded');
  expect(head.toLowerCase()).not.toContain('transfer-encoding');
  client.close();
});

it('delete has its parameters in the query and no body', async () => {
  const { port, bytes } = await listener(OK);
  const client = openProxmox(connectionTo(port, { fingerprint: testCertificate().fingerprint }));
  await client.delete(['nodes', 'pve', 'lxc', 101], anything, { purge: true });
  expect(bytes()).toMatch(/^DELETE \/api2\/json\/nodes\/pve\/lxc\/101\?purge=1 /);
  expect(bytes().split('\r\n\r\n')[1]).toBe('');
  client.close();
});

/** A certificate that signed nothing here: Node's first built-in authority. */
function otherAuthority(): string {
  return rootCertificates[0] ?? '';
}
