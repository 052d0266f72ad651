import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import {
  type ClientOptions,
  openProxmox,
  type Proxmox,
  type ProxmoxConnection,
} from '../../tools/executors/src/platforms/proxmox/client.ts';
import type { Params } from '../../tools/executors/src/platforms/proxmox/params.ts';
import { upid, waitForTask } from '../../tools/executors/src/platforms/proxmox/task.ts';
import { MemoryBackend } from './backend/memory.ts';
import { type Certificate, certificate } from './double/certificate.ts';
import { type DoubleOptions, serve } from './double/server.ts';
import { freshState, MINIMAL_ACL, type State, Store, TEMPLATE, token } from './double/state.ts';

export const TOKEN_ID = 'mooring@pve!test';
export const TOKEN_SECRET = '11111111-2222-3333-4444-555555555555';

let made: Certificate | undefined;

/** One certificate for all tests of a file. */
export function testCertificate(): Certificate {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'mooring-pve-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  made = certificate(join(folder, 'certificate'));
  return made;
}

export type Running = {
  readonly state: State;
  readonly backend: MemoryBackend;
  readonly connection: ProxmoxConnection;
  readonly client: Proxmox;
  open(options: ClientOptions, connection?: Partial<ProxmoxConnection>): Proxmox;
  close(): Promise<void>;
};

/** A double with guests in memory, and a client of it. */
export async function running(
  given: { state?: Partial<State>; acl?: Record<string, string[]> } & Partial<DoubleOptions> = {},
): Promise<Running> {
  const backend = new MemoryBackend();
  const tokens = { [TOKEN_ID]: token(TOKEN_SECRET, given.acl ?? MINIMAL_ACL) };
  const store = new Store(undefined, { ...freshState(), tokens, ...given.state });
  const { key, cert, fingerprint } = testCertificate();
  const double = await serve({ store, backend, certificate: { key, cert }, authDelayMs: 10, lockWaitMs: 100, ...given });
  const connection: ProxmoxConnection = {
    url: `https://127.0.0.1:${double.port}`,
    tokenId: TOKEN_ID,
    tokenSecret: new Secret(TOKEN_SECRET),
    fingerprint,
  };
  const clients: Proxmox[] = [];
  const open = (options: ClientOptions, other: Partial<ProxmoxConnection> = {}) => {
    const client = openProxmox({ ...connection, ...other }, options);
    clients.push(client);
    return client;
  };
  return {
    state: store.state,
    backend,
    connection,
    client: open({ lockWaitMs: 0, timeoutMs: 5_000 }),
    open,
    close: async () => {
      for (const client of clients) client.close();
      await double.close();
    },
  };
}

/** Parameters of a usual guest. */
export const USUAL: Params = {
  ostemplate: `local:vztmpl/${TEMPLATE}`,
  hostname: 'pote-dev',
  rootfs: 'local-zfs:8',
  net0: 'name=eth0,bridge=vmbr0,firewall=1,ip=10.77.0.101/24,gw=10.77.0.1',
  features: 'nesting=1',
  unprivileged: true,
};

/** Makes a guest and waits until it is there. */
export async function create(client: Proxmox, vmid: number, more: Params = {}): Promise<void> {
  await waitForTask(client, await client.post(['nodes', 'pve', 'lxc'], upid, { vmid, ...USUAL, ...more }), { pollMs: 5 });
}
