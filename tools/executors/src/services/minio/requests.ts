import { createHash } from 'node:crypto';
import aws4 from 'aws4';
import type { Command } from '../../engine/command.ts';
import { Secret } from '../../engine/secret.ts';
import { bash } from './bash.ts';

/** Whose key a request is signed with. */
export type Signer = { readonly accessKey: Secret; readonly secretKey: Secret };

/** One S3 or admin request. The path holds its query, percent-encoded; it may name an access key, hence the `Secret`. */
export type MinioRequest = {
  readonly signer: Signer;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string | Secret;
  readonly body?: string | (() => Buffer);
};

/** Where MinIO listens and what region it signs for. */
export type Endpoint = { readonly port: number; readonly region: string };

/**
 * Requests for one connection, as HTTP/1.1 text in base64: signed, pipelined, the last one closes.
 *
 * They are signed when a host asks for their text, just before it is sent: a signature is valid for 15 minutes only
 * (SigV4), and so neither facts nor plans hold a time, and planners stay pure.
 */
export class SignedRequests extends Secret {
  readonly #endpoint: Endpoint;
  readonly #requests: readonly MinioRequest[];
  readonly #now: () => Date;

  constructor(endpoint: Endpoint, requests: readonly MinioRequest[], now: () => Date = () => new Date()) {
    super('', `(${requests.length} signed requests)`);
    this.#endpoint = endpoint;
    this.#requests = requests;
    this.#now = now;
  }

  /** The bytes themselves, for a connection of ours. */
  bytes(): Buffer {
    const now = this.#now();
    return Buffer.concat(this.#requests.map((request, i) => encode(this.#endpoint, request, now, i === this.#requests.length - 1)));
  }

  override reveal(): string {
    return this.bytes().toString('base64');
  }
}

/**
 * Asks MinIO inside its container, over one connection, by two small processes; answers are HTTP responses, one
 * after the other (see `parseResponses`). `mc` would be a Go start a question, 0.1 s each, and a second build of minutes.
 *
 * @param before bash text whose output comes before the answers, with its parameters as `$2`, `$3`, …
 */
export function ask(
  endpoint: Endpoint,
  requests: readonly MinioRequest[],
  before: { readonly text: string; readonly parameters: readonly string[] } = { text: '', parameters: [] },
): Command {
  const text = [before.text, CONNECT, 'exec cat <&3'].filter(Boolean).join('\n');
  const options = { stdin: new SignedRequests(endpoint, requests), timeoutMs: 10_000 };
  return bash('read', text, [String(endpoint.port), ...before.parameters], options);
}

/**
 * Tells MinIO something, inside its container; fails with the answer on stderr unless that is a 2xx.
 *
 * @param fine an error code that means that it is so already
 */
export function tell(endpoint: Endpoint, request: MinioRequest, fine = 'none'): Command {
  const text = `${CONNECT}
IFS= read -r status <&3; rest=$(cat <&3)
case $status$rest in 'HTTP/1.1 2'*|*'"Code":"'"$2"'"'*) ;; *) printf '%s\\n' "$status" "$rest" >&2; exit 1 ;; esac`;
  return bash('write', text, [String(endpoint.port), fine], { stdin: new SignedRequests(endpoint, [request]), timeoutMs: 60_000 });
}

/** bash's /dev/tcp, as a minimal Debian has no HTTP client. The requests may hold any bytes, hence base64. */
const CONNECT = `exec 3<>"/dev/tcp/127.0.0.1/$1"; base64 -d >&3`;

/** A secret as part of a path or query. */
export function encoded(value: Secret): Secret {
  return new Secret(encodeURIComponent(value.reveal()));
}

function encode(endpoint: Endpoint, request: MinioRequest, now: Date, last: boolean): Buffer {
  const body = typeof request.body === 'function' ? request.body() : Buffer.from(request.body ?? '');
  const path = request.path instanceof Secret ? request.path.reveal() : request.path;
  const signed = aws4.sign(
    {
      service: 's3',
      region: endpoint.region,
      host: `localhost:${endpoint.port}`,
      method: request.method,
      path,
      headers: {
        'X-Amz-Date': now.toISOString().replaceAll(/[-:]|\.\d+/g, ''),
        'X-Amz-Content-Sha256': createHash('sha256').update(body).digest('hex'),
      },
    },
    { accessKeyId: request.signer.accessKey.reveal(), secretAccessKey: request.signer.secretKey.reveal() },
  );
  const headers = { ...signed.headers, 'Content-Length': body.length, Connection: last ? 'close' : 'keep-alive' };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  return Buffer.concat([Buffer.from(`${request.method} ${signed.path} HTTP/1.1\r\n${head.join('')}\r\n`), body]);
}
