import { type Agent, type RequestOptions, request } from 'node:https';
import { AGAIN, MooringError } from '../../engine/errors.ts';
import type { Secret } from '../../engine/secret.ts';
import type { Handshake } from './connection.ts';
import { MaybeDone, UnreachableError } from './errors.ts';

/** One call, ready to be sent. */
export type Call = {
  readonly base: URL;
  /** `GET /nodes/pve/lxc`; the path encoded. */
  readonly call: string;
  /** Parameters, encoded; in the query for GET and DELETE, which must have no body, else in the body. */
  readonly form: string;
  readonly authorization: Secret;
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
};

/** What came back, whatever the status. */
export type Answer = { readonly status: number; readonly reason: string; readonly text: string };

const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * Sends one call and gives back its whole answer.
 *
 * @throws CertificateError, UnreachableError when nothing was sent; MaybeDone when a call that writes was sent and has no answer
 */
export async function send(given: Call): Promise<Answer> {
  const timeout = AbortSignal.timeout(given.timeoutMs);
  const signal = AbortSignal.any([timeout, ...(given.signal ? [given.signal] : [])]);
  const progress = { sent: false, reused: false };
  for (;;) {
    try {
      return await exchange(given, signal, progress);
    } catch (error) {
      // A kept connection that the server closed meanwhile: what only reads is asked again, until it has a fresh one.
      if (!(progress.reused && isReading(given) && !signal.aborted)) fail(given, error, progress, timeout);
    }
  }
}

type Progress = { sent: boolean; reused: boolean };

const isReading = ({ call }: Call) => call.startsWith('GET ');

function exchange({ base, call, form, authorization, agent }: Call, signal: AbortSignal, progress: Progress): Promise<Answer> {
  const [method = '', path] = call.split(' ');
  const inQuery = method === 'GET' || method === 'DELETE';
  return new Promise((resolve, reject) => {
    const options: RequestOptions & Handshake = {
      method,
      path: `/api2/json${path}${inQuery && form !== '' ? `?${form}` : ''}`,
      agent,
      signal,
      headers: {
        accept: 'application/json',
        authorization: authorization.reveal(),
        // With a length: the API refuses a chunked body.
        ...(inQuery ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) }),
      },
      handshake: signal,
    };
    const outgoing = request(base, options);
    // The agent gives a socket only once the server was proved; from here on bytes may have gone out.
    outgoing.once('socket', () => {
      progress.sent = true;
      progress.reused = outgoing.reusedSocket;
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > MAX_ANSWER) incoming.destroy(new Error(`the answer is larger than ${MAX_ANSWER} bytes`));
        else parts.push(part);
      });
      incoming.once('error', reject);
      incoming.once('end', () =>
        resolve({ status: incoming.statusCode ?? 0, reason: incoming.statusMessage ?? '', text: Buffer.concat(parts).toString('utf8') }),
      );
    });
    outgoing.end(inQuery ? undefined : form);
  });
}

function fail(given: Call, error: unknown, progress: Progress, timeout: AbortSignal): never {
  const { call, base } = given;
  if (error instanceof MooringError) throw error;
  const why = timeout.aborted ? `no answer within ${given.timeoutMs / 1000} seconds` : reason(error);
  const detail = { host: base.host, command: call };
  if (progress.sent && !isReading(given)) {
    throw new MaybeDone(`${call}: ${why}: it is unknown whether it was done`, { ...detail, next: AGAIN }, error);
  }
  given.signal?.throwIfAborted();
  throw new UnreachableError(
    `${base.host} cannot be asked (${call}): ${why}`,
    { ...detail, next: `curl -k ${base.origin}/api2/json/version` },
    error,
  );
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ');
  return error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code || error.name : String(error);
}
