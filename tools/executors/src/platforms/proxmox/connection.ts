import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { InputError } from '../../engine/errors.ts';
import { CertificateError } from './errors.ts';

/** How a server proves who it is: by the sha256 of its certificate, by an authority (PEM), by both, or by those this machine trusts. */
export type ServerProof = { readonly fingerprint?: string | undefined; readonly ca?: string | undefined };

/** Put into a request's options: ends its connection while that is still being made; afterwards the request's own signal does. */
export type Handshake = { readonly handshake: AbortSignal };

/**
 * An agent whose connections are proved before anything is sent over them: with a pinned certificate a request gets its socket only once
 * the fingerprint was compared. (Comparing later, in a response or with `rejectUnauthorized: false`, is too late: the token is sent by then.)
 *
 * @param where as messages name it
 */
export function provenAgent(proof: ServerProof, where: string, options: { keepAlive: boolean }): Agent {
  const pinned = proof.fingerprint === undefined ? undefined : normalFingerprint(proof.fingerprint);
  const agent = new Agent(options);
  agent.createConnection = (given, callback) => {
    const done = callback as (error: Error | null, socket?: Duplex) => void;
    const socket = connect({
      ...(given as ConnectionOptions),
      // A pin alone proves more than an authority does: Proxmox's own certificates are signed by nobody that this machine knows.
      rejectUnauthorized: pinned === undefined || proof.ca !== undefined,
      ...(proof.ca === undefined ? {} : { ca: proof.ca }),
    });
    const { handshake } = given as unknown as Handshake;
    const abort = () => socket.destroy(new Error('given up while connecting'));
    const failed = (error: Error) => {
      handshake.removeEventListener('abort', abort);
      done(error);
    };
    handshake.addEventListener('abort', abort, { once: true });
    if (handshake.aborted) abort();
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      socket.removeListener('error', failed);
      handshake.removeEventListener('abort', abort);
      const wrong = pinned === undefined ? undefined : mismatch(socket, pinned, where);
      if (wrong === undefined) return done(null, socket);
      socket.destroy();
      done(wrong);
    });
    return undefined;
  };
  return agent;
}

function mismatch(socket: TLSSocket, pinned: string, where: string): CertificateError | undefined {
  const offered = socket.getPeerX509Certificate()?.fingerprint256;
  if (offered === pinned) return undefined;
  return new CertificateError(`the certificate of ${where} is not the pinned one: it offers ${offered ?? 'none'}, pinned is ${pinned}`, {
    host: where,
    next: 'compare with the node itself: openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem (or pveproxy-ssl.pem); pin that one if it was renewed',
  });
}

/** A sha256 fingerprint as Node writes it. @throws InputError */
function normalFingerprint(text: string): string {
  const hex = text.replaceAll(':', '').toUpperCase();
  if (!/^[0-9A-F]{64}$/.test(hex)) {
    throw new InputError(`'${text}' is not a sha256 fingerprint: expected 32 pairs of hex digits, such as AB:CD:…`, {
      next: 'openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem (on the node)',
    });
  }
  return (hex.match(/../g) ?? []).join(':');
}
