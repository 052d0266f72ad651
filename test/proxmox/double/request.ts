import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiFailure } from './failure.ts';
import type { State, TokenState } from './state.ts';

const MAX_BODY = 512 * 1024;

export type Parsed = { readonly method: string; readonly path: string; readonly params: Record<string, string | string[]> };

/** What the real daemon refuses before it looks at the path. @throws ApiFailure */
export async function parse(incoming: IncomingMessage): Promise<Parsed> {
  const { method = '', url = '', headers } = incoming;
  if (headers['transfer-encoding'] !== undefined) throw new ApiFailure(501, 'chunked transfer encoding not supported');
  const length = Number(headers['content-length'] ?? 0);
  if (length > MAX_BODY) throw new ApiFailure(501, 'for data too large');
  const hasBody = method === 'POST' || method === 'PUT';
  if (!hasBody && length > 0) throw new ApiFailure(501, `Unexpected content for method '${method}'`);
  const { pathname, searchParams } = new URL(url, 'https://double');
  if (!pathname.startsWith('/api2/json/')) throw new ApiFailure(501, `no handler for '${pathname}'`);
  const form = hasBody ? await readForm(incoming, length) : new URLSearchParams();
  return { method, path: pathname.slice('/api2/json'.length), params: collect([...searchParams, ...form]) };
}

async function readForm(incoming: IncomingMessage, length: number): Promise<URLSearchParams> {
  const type = incoming.headers['content-type'] ?? '';
  if (length > 0 && !type.startsWith('application/x-www-form-urlencoded'))
    throw new ApiFailure(506, `upload 'Content-Type '${type}' not implemented`);
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}

/** A parameter that is given twice is a list. */
function collect(pairs: [string, string][]): Record<string, string | string[]> {
  const all = new Map<string, string | string[]>();
  for (const [name, value] of pairs) {
    const before = all.get(name);
    all.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(all);
}

/** The token that a call shows. @throws ApiFailure 401 */
export function authenticate(state: State, header: string | undefined): { user: string; token: TokenState } {
  const [, id = '', secret = ''] = /^PVEAPIToken=([^=]+)=(.+)$/.exec(header ?? '') ?? [];
  if (id === '') throw new ApiFailure(401, 'No ticket');
  const token = state.tokens[id];
  const given = createHash('sha256').update(secret).digest('hex');
  if (token === undefined || token.secretSha256 !== given) throw new ApiFailure(401, 'Authentication failed!');
  return { user: id, token };
}
