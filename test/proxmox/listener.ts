import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import type { ProxmoxConnection } from '../../tools/executors/src/platforms/proxmox/client.ts';
import { TOKEN_ID, TOKEN_SECRET, testCertificate } from './testing.ts';

/* Servers that are no Proxmox: what a client sends them is looked at. */

/** A TLS server that keeps every byte it gets, and answers each request the same. */
export async function listener(answer: string): Promise<{ port: number; bytes: () => string }> {
  const { key, cert } = testCertificate();
  const parts: Buffer[] = [];
  const server = createServer({ key, cert }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (part) => {
      parts.push(part);
      socket.write(answer);
    });
  });
  server.on('tlsClientError', () => {});
  await listen(server);
  return { port: (server.address() as AddressInfo).port, bytes: () => Buffer.concat(parts).toString('latin1') };
}

/** Listens until the test's end. */
export async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
}

export function connectionTo(port: number, proof: Partial<ProxmoxConnection>): ProxmoxConnection {
  return { url: `https://127.0.0.1:${port}`, tokenId: TOKEN_ID, tokenSecret: new Secret(TOKEN_SECRET), ...proof };
}

/** An answer with nothing in it. */
export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{"data":null}';
