import type { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { InputError, type MooringError } from '../../engine/errors.ts';
import { redactor } from '../../engine/redactor.ts';
import { Secret, secretText } from '../../engine/secret.ts';
import { whole } from './answer.ts';
import { provenAgent, type ServerProof } from './connection.ts';
import { LockedError, type Refusal, refused, UnreachableError } from './errors.ts';
import { encode, type Params } from './params.ts';
import { type Answer, send } from './send.ts';

/** Where the API is, and with what we get in. */
export type ProxmoxConnection = ServerProof & {
  /** `https://pve.lan:8006`. */
  readonly url: string;
  /** `mooring@pve!deploy`. */
  readonly tokenId: string;
  readonly tokenSecret: Secret;
};

export type ClientOptions = {
  /** Ends what is under way. */
  readonly signal?: AbortSignal | undefined;
  /** A call without an answer is given up after this time; the API's own limit is 30 s. */
  readonly timeoutMs?: number;
  /** A call that finds the guest locked is tried again for this long; 60 s when left out. */
  readonly lockWaitMs?: number;
  /** Called before each wait for a lock, with what holds it. */
  readonly waiting?: (why: string) => void;
};

/** Parts of a path; each is encoded. `['nodes', 'pve', 'lxc', 101, 'config']`. */
export type Path = readonly (string | number)[];

/**
 * The Proxmox API. Every answer is parsed by the given schema. Only a held lock is tried again.
 * All throw `ProxmoxError` and its kin when the API says no, `UnreachableError` when it could not be asked, `CertificateError` when it is
 * another server; those that write throw `MaybeDone` when it is unknown whether they happened.
 */
export interface Proxmox {
  /** As messages name it: the URL's host and port. */
  readonly name: string;
  get<T>(path: Path, schema: z.ZodType<T>, params?: Params): Promise<T>;
  /** As `get`, for lists that come in parts: with the number of all entries. */
  getPart<T>(path: Path, schema: z.ZodType<T>, params?: Params): Promise<{ data: T; total: number }>;
  post<T>(path: Path, schema: z.ZodType<T>, params?: Params): Promise<T>;
  put<T>(path: Path, schema: z.ZodType<T>, params?: Params): Promise<T>;
  delete<T>(path: Path, schema: z.ZodType<T>, params?: Params): Promise<T>;
  /** Ends open connections. */
  close(): void;
}

const LOCK_WAIT_MS = 60_000;
const TIMEOUT_MS = 45_000;

const body = z.object({
  data: z.unknown(),
  message: z.string().optional(),
  errors: z.record(z.string(), z.string()).optional(),
  total: whole.optional(),
});

/** What every call needs. */
type Api = {
  readonly base: URL;
  readonly name: string;
  readonly tokenSecret: Secret;
  readonly authorization: Secret;
  readonly agents: { readonly read: Agent; readonly write: Agent };
  readonly options: ClientOptions;
};

/** Makes a client. Nothing is sent yet. @throws InputError when the connection's settings are not what they must be */
export function openProxmox(connection: ProxmoxConnection, options: ClientOptions = {}): Proxmox {
  const api = apiAt(connection, options);
  const data =
    (method: string) =>
    async <T>(path: Path, schema: z.ZodType<T>, params?: Params) =>
      (await ask(api, method, path, schema, params)).data;
  return {
    name: api.name,
    get: data('GET'),
    getPart: (path, schema, params) => ask(api, 'GET', path, schema, params),
    post: data('POST'),
    put: data('PUT'),
    delete: data('DELETE'),
    close: () => {
      api.agents.read.destroy();
      api.agents.write.destroy();
    },
  };
}

function apiAt(connection: ProxmoxConnection, options: ClientOptions): Api {
  const { tokenSecret } = connection;
  const base = parseUrl(connection.url);
  const name = base.host;
  const authorization = secretText`PVEAPIToken=${checkTokenId(connection.tokenId)}=${tokenSecret}`;
  // What writes gets a connection of its own: one that is kept may be closed by the server just when it is used, and then nobody
  // would know whether the call was done.
  const agents = {
    read: provenAgent(connection, name, { keepAlive: true }),
    write: provenAgent(connection, name, { keepAlive: false }),
  };
  return { base, name, tokenSecret, authorization, agents, options };
}

/** One call, again for as long as a lock is held. */
async function ask<T>(
  api: Api,
  method: string,
  path: Path,
  schema: z.ZodType<T>,
  params: Params = {},
): Promise<{ data: T; total: number }> {
  const { name, options } = api;
  const until = Date.now() + (options.lockWaitMs ?? LOCK_WAIT_MS);
  for (let pause = 500; ; pause = Math.min(pause * 2, 5_000)) {
    try {
      const { call, parsed } = await once(api, method, path, params);
      const data = schema.safeParse(parsed.data);
      if (!data.success) throw unknownAnswer(call, z.prettifyError(data.error), name);
      return { data: data.data, total: parsed.total ?? 0 };
    } catch (error) {
      if (!(error instanceof LockedError) || Date.now() + pause > until) throw error;
      options.waiting?.(error.message);
      await sleep(pause, undefined, { signal: options.signal });
    }
  }
}

async function once({ base, name, tokenSecret, authorization, agents, options }: Api, method: string, path: Path, params: Params) {
  const call = `${method} /${path.map((part) => encodeURIComponent(part)).join('/')}`;
  const writes = method !== 'GET';
  const answer = await send({
    base,
    call,
    form: encode(params),
    authorization,
    agent: writes ? agents.write : agents.read,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    signal: options.signal,
  });
  const { text: redact } = redactor([tokenSecret, ...Object.values(params).filter((value) => value instanceof Secret)]);
  if (answer.status >= 400) throw refused(refusal(call, answer, redact), writes, name);
  return { call, parsed: parseBody(call, answer, name) };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new InputError(`'${text}' is not the address of a Proxmox API: expected https, a host and a port, such as https://pve.lan:8006`);
  }
  return url;
}

function checkTokenId(id: string): string {
  if (/^[^\s:/!=]+@[A-Za-z][\w.-]+![A-Za-z][\w.-]+$/.test(id)) return id;
  throw new InputError(`'${id}' is not a token id: expected user@realm!name, such as mooring@pve!deploy`);
}

function parseBody(call: string, answer: Answer, host: string): z.output<typeof body> {
  const parsed = body.safeParse(tryJson(answer.text));
  if (parsed.success) return parsed.data;
  throw unknownAnswer(call, `'${answer.text.slice(0, 80)}' is not what the API answers with`, host);
}

/** Whatever a failed call's body is, its status line is kept. */
function refusal(call: string, answer: Answer, redact: (text: string) => string): Refusal {
  const parsed = body.safeParse(tryJson(answer.text));
  const { message = '', errors = {} } = parsed.success ? parsed.data : {};
  return {
    call,
    status: answer.status,
    reason: redact(answer.reason),
    message: redact(message.trim()),
    errors: Object.fromEntries(Object.entries(errors).map(([key, text]) => [key, redact(text)])),
  };
}

function unknownAnswer(call: string, why: string, host: string): MooringError {
  return new UnreachableError(`${call}: the answer is not understood: ${why}`, {
    host,
    command: call,
    next: 'is the URL that of the Proxmox API, and its version 8 or 9?',
  });
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
