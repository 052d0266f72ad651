import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GuestBackend } from '../backend/backend.ts';
import { rulePermissions, validateCall } from '../schema/call.ts';
import { ApiFailure } from './failure.ts';
import { authenticate, type Parsed, parse } from './request.ts';
import { mustHave } from './rights.ts';
import { findRoute, OUTSIDE_SCHEMA, Page } from './routes.ts';
import type { State, Store, TokenState } from './state.ts';
import { Locks, Tasks } from './tasks.ts';

export type DoubleOptions = {
  readonly store: Store;
  readonly backend: GuestBackend;
  readonly certificate: { readonly key: string; readonly cert: string };
  readonly port?: number;
  /** The real one answers a wrong token after 3 s only. */
  readonly authDelayMs?: number;
  /** The real one waits 10 s for a guest's lock. */
  readonly lockWaitMs?: number;
};

export type Double = { readonly port: number; readonly tasks: Tasks; close(): Promise<void> };

const KEPT_CALLS = 1000;

/** Starts the API on the loopback interface. */
export async function serve(options: DoubleOptions): Promise<Double> {
  const { store, backend } = options;
  const tasks = new Tasks(store);
  const locks = new Locks(options.lockWaitMs ?? 10_000);

  async function answer(incoming: IncomingMessage): Promise<{ data: unknown; total?: number; cut?: boolean }> {
    const call = await parse(incoming);
    const { user, token } = authenticate(store.state, incoming.headers.authorization);
    store.state.calls.push(`${call.method} ${call.path}`);
    store.state.calls.splice(0, store.state.calls.length - KEPT_CALLS);
    const route = findRoute(call.method, call.path);
    if (route === undefined) throw new ApiFailure(501, `Method '${call.method} ${call.path}' not implemented`);
    const params = check(route.name, { ...call, params: { ...call.params, ...route.params } }, token);
    checkNode(store.state, params.node);
    const faults = takeFaults(store.state, route.name);
    for (const fault of faults) {
      if (fault.kind === 'delay') await sleep(fault.ms);
      if (fault.kind === 'refuse') throw new ApiFailure(fault.status, fault.message);
    }
    const data = await route.handler({ store, tasks, locks, backend, token, user, params });
    if (faults.some(({ kind }) => kind === '596-after')) throw new ApiFailure(596, 'Connection timed out');
    const cut = faults.some(({ kind }) => kind === 'cut-after');
    return data instanceof Page ? { data: data.data, total: data.total, cut } : { data, cut };
  }

  const server = createServer({ key: options.certificate.key, cert: options.certificate.cert }, (incoming, outgoing) => {
    answer(incoming).then(
      ({ data, total, cut }) => (cut ? outgoing.destroy() : send(outgoing, 200, 'OK', { data, ...(total === undefined ? {} : { total }) })),
      async (error: unknown) => {
        const failure = error instanceof ApiFailure ? error : new ApiFailure(500, error instanceof Error ? error.message : String(error));
        if (failure.status === 401) await sleep(options.authDelayMs ?? 3_000);
        fail(outgoing, failure);
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    tasks,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await tasks.settled();
      store.save();
    },
  };
}

/** @throws ApiFailure where a call is for a node that is not there, or not online */
function checkNode({ nodes }: State, node: string | undefined): void {
  if (node === undefined) return;
  const found = nodes.find((one) => one.node === node);
  if (found === undefined)
    throw new ApiFailure(500, `hostname lookup '${node}' failed - failed to get address info for: ${node}: Name or service not known`);
  if (!found.online) throw new ApiFailure(595, 'No route to host');
}

/** The faults of a call; each is there as often as it says. */
function takeFaults({ faults }: State, name: string) {
  const found = faults.flatMap((fault) => (fault.kind !== 'exit' && fault.at === name ? [fault] : []));
  for (const fault of found) {
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) faults.splice(faults.indexOf(fault), 1);
  }
  return found;
}

/** Rights first, then the schema, as the real daemon does. @throws ApiFailure */
function check(name: string, { method, params }: Parsed, token: TokenState): Record<string, string> {
  const template = name.slice(method.length + 1);
  const fill = (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, key) => String(params[key] ?? ''));
  const outside = OUTSIDE_SCHEMA[name];
  if (outside !== undefined) {
    mustHave(token, fill(outside.path), outside.privileges, true);
    return params as Record<string, string>;
  }
  rulePermissions(method, template, (path, privileges, any) => mustHave(token, fill(path), privileges, any));
  const verdict = validateCall(method, template, params);
  if (verdict.status === 400) throw new ApiFailure(400, verdict.message.trim(), verdict.errors);
  return params as Record<string, string>;
}

function fail(outgoing: ServerResponse, { status, message, errors }: ApiFailure): void {
  // The connection is closed after every failure, and a refused token gets no body.
  outgoing.setHeader('connection', 'close');
  if (status === 401) {
    outgoing.writeHead(status, reasonPhrase(message)).end();
    return;
  }
  send(outgoing, status, reasonPhrase(message), { data: null, message: `${message}\n`, errors });
}

function send(outgoing: ServerResponse, status: number, reason: string, body: unknown): void {
  const text = JSON.stringify(body);
  outgoing.writeHead(status, reason, { 'content-type': 'application/json;charset=UTF-8', 'content-length': Buffer.byteLength(text) });
  outgoing.end(text);
}

/** A status line has one line and no characters outside Latin 1. */
const reasonPhrase = (message: string) => (message.split('\n')[0] ?? '').replaceAll(/[^\x20-\x7e]/g, '?');
