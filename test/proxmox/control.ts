import { chmodSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { z } from 'zod';
import type { Store } from './double/state.ts';
import { type Fault, type GuestState, guest, type State } from './double/state.ts';

/** What may be changed from outside; guests and tokens are put beside those that are there, faults too, the rest is replaced. */
export type Wishes = {
  guests?: (Partial<GuestState> & Pick<GuestState, 'vmid'>)[];
  tokens?: State['tokens'];
  faults?: Fault[];
  nodes?: State['nodes'];
  bridges?: string[];
  vnets?: State['vnets'];
  storages?: State['storages'];
};

/** Changes a state as wished. */
function wish(state: State, wishes: Wishes): void {
  for (const one of wishes.guests ?? []) {
    const there = state.guests.find(({ vmid }) => vmid === one.vmid);
    if (there === undefined) state.guests.push(guest(one));
    else Object.assign(there, one);
  }
  Object.assign(state.tokens, wishes.tokens);
  state.faults.push(...(wishes.faults ?? []));
  for (const key of ['nodes', 'bridges', 'vnets', 'storages'] as const)
    if (wishes[key] !== undefined) Object.assign(state, { [key]: wishes[key] });
}

/** Lets tests look into a double that is another process, through a socket that only its user can open. */
export async function serveControl(store: Store, socket: string): Promise<() => Promise<void>> {
  rmSync(socket, { force: true });
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part) => parts.push(part));
    incoming.on('end', () => {
      if (parts.length > 0) {
        wish(store.state, z.custom<Wishes>().parse(JSON.parse(Buffer.concat(parts).toString('utf8'))));
        store.save();
      }
      outgoing.end(JSON.stringify(store.state));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** Asks a running double for its state, after having changed it as wished. */
export function control(socket: string, wishes?: Wishes): Promise<State> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: socket, method: 'POST' }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part) => parts.push(part));
      incoming.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString('utf8')) as State));
    });
    outgoing.on('error', reject);
    outgoing.end(wishes === undefined ? undefined : JSON.stringify(wishes));
  });
}
