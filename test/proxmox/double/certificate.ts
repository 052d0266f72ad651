import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Certificate = { readonly key: string; readonly cert: string; readonly fingerprint: string };

/** A self-signed certificate for the loopback interface, made once and kept in a folder. */
export function certificate(folder: string): Certificate {
  if (!existsSync(join(folder, 'cert.pem'))) make(folder);
  const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
  return { key: readFileSync(join(folder, 'key.pem'), 'utf8'), cert, fingerprint: new X509Certificate(cert).fingerprint256 };
}

function make(folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const part = mkdtempSync(`${folder}.`);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650', '-subj', '/CN=pve.double'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', join(part, 'key.pem'), '-out', join(part, 'cert.pem')],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
}
