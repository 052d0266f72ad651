import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { showError } from '../../tools/executors/src/engine/errors.ts';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import { openProxmox } from '../../tools/executors/src/platforms/proxmox/client.ts';
import {
  DeniedError,
  LockedError,
  MaybeDone,
  NotFoundError,
  ParameterError,
  ProxmoxError,
  UnreachableError,
} from '../../tools/executors/src/platforms/proxmox/errors.ts';
import { connectionTo, listen, listener } from './listener.ts';
import { create, type Running, running, TOKEN_ID, TOKEN_SECRET, testCertificate, USUAL } from './testing.ts';

const anything = z.unknown();
const OTHER = 'AA:'.repeat(31).concat('AA');

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function double(...given: Parameters<typeof running>): Promise<Running> {
  const made = await running(...given);
  open.push(made);
  return made;
}

describe('what the API says no to', () => {
  it('keeps every parameter with its reason', async () => {
    const { client } = await double();
    const error = await client
      .post(['nodes', 'pve', 'lxc'], anything, { ...USUAL, vmid: 101, cores: 0, net0: 'ip=10.0.0.1' })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ParameterError);
    expect((error as ParameterError).refusal).toMatchObject({ status: 400, reason: 'Parameter verification failed.' });
    expect((error as ParameterError).refusal.errors.cores).toBe('value must have a minimum value of 1');
    expect((error as ParameterError).refusal.errors.net0).toContain('net0.name: property is missing and it is not optional');
    expect(showError(error)).toContain('POST /nodes/pve/lxc: Parameter verification failed. (400); ');
  });

  it('keeps the reason phrase when there is no body, and hides the token', async () => {
    const { port } = await listener(`HTTP/1.1 401 no such token ${TOKEN_SECRET}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    const client = openProxmox(connectionTo(port, { fingerprint: testCertificate().fingerprint }));
    const error = await client.get(['version'], anything).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DeniedError);
    expect(showError(error)).toContain('no such token (secret) (401)');
  });

  it('tells a guest that is not there from a right that is missing', async () => {
    const { client, open: another } = await double({ acl: { '/vms/101': ['VM.Audit'] } });
    await expect(client.get(['nodes', 'pve', 'lxc', 101, 'config'], anything)).rejects.toThrow(NotFoundError);
    await expect(client.get(['nodes', 'pve', 'lxc', 102, 'config'], anything)).rejects.toThrow(DeniedError);
    await expect(another({}, { tokenSecret: new Secret('wrong') }).get(['version'], anything)).rejects.toThrow(DeniedError);
  });

  it('waits for a lock, and for nothing else', async () => {
    const { open: another, state } = await double();
    const why: string[] = [];
    const client = another({ lockWaitMs: 5_000, waiting: (text) => why.push(text) });
    await create(client, 101);
    const at = 'PUT /nodes/{node}/lxc/{vmid}/config';
    const config = ['nodes', 'pve', 'lxc', 101, 'config'];
    const puts = () => state.calls.filter((call) => call.startsWith('PUT')).length;
    state.faults.push({ at, kind: 'refuse', status: 500, message: 'CT is locked (backup)' });
    await client.put(config, anything, { cores: 2 });
    expect([puts(), why]).toEqual([2, ['PUT /nodes/pve/lxc/101/config: CT is locked (backup) (500)']]);
    state.faults.push({ at, kind: 'refuse', status: 500, message: 'unable to open file - No space left on device' });
    await expect(client.put(config, anything, { cores: 3 })).rejects.toThrow(ProxmoxError);
    expect(puts()).toBe(3);
    state.faults.push({
      at,
      kind: 'refuse',
      status: 500,
      message: "can't lock file '/run/lock/lxc/pve-config-101.lock' - got timeout",
      times: 9,
    });
    await expect(another({ lockWaitMs: 2_000 }).put(config, anything, { cores: 3 })).rejects.toThrow(LockedError);
    expect(puts()).toBeGreaterThanOrEqual(5);
  });
});

describe('when it is unknown whether a call was done', () => {
  const config = ['nodes', 'pve', 'lxc', 101, 'config'];
  it.each(['596-after', 'cut-after'] as const)('%s: a writing call is MaybeDone, is not repeated, and has happened', async (kind) => {
    const { client, state } = await double();
    await create(client, 101);
    state.faults.push({ at: 'PUT /nodes/{node}/lxc/{vmid}/config', kind });
    const error = await client.put(config, anything, { cores: 4 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MaybeDone);
    expect(showError(error)).toContain('it is unknown whether it was done');
    expect(state.guests[0]?.options.cores).toBe('4');
    expect(state.calls.filter((call) => call.startsWith('PUT'))).toHaveLength(1);
  });

  it('a reading call is only unreachable', async () => {
    const { client, state } = await double();
    state.faults.push({ at: 'GET /version', kind: '596-after' });
    await expect(client.get(['version'], anything)).rejects.toThrow(UnreachableError);
    state.faults.push({ at: 'GET /version', kind: 'refuse', status: 595, message: 'No route to host' });
    await expect(client.get(['version'], anything)).rejects.toThrow(UnreachableError);
  });

  it('a call without an answer is given up: MaybeDone if it writes', async () => {
    const { open: another, state } = await double();
    const client = another({ timeoutMs: 150 });
    state.faults.push(
      { at: 'GET /version', kind: 'delay', ms: 400 },
      { at: 'PUT /nodes/{node}/lxc/{vmid}/config', kind: 'delay', ms: 400 },
    );
    await expect(client.get(['version'], anything)).rejects.toThrow('no answer within 0.15 seconds');
    await expect(client.put(config, anything, { cores: 4 })).rejects.toThrow(MaybeDone);
  });

  it('a server that accepts and then says nothing is left again', async () => {
    const ended = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
      socket.on('close', () => ended.resolve());
    });
    await listen(server);
    const client = openProxmox(connectionTo((server.address() as AddressInfo).port, { fingerprint: OTHER }), { timeoutMs: 100 });
    await expect(client.put(config, anything)).rejects.toThrow(UnreachableError);
    await ended.promise;
  });

  it('an abort ends it', async () => {
    const { open: another, state } = await double();
    const abort = new AbortController();
    state.faults.push({ at: 'GET /version', kind: 'delay', ms: 300 });
    const asked = another({ signal: abort.signal }).get(['version'], anything);
    setTimeout(() => abort.abort(new Error('stopped by the user')), 30);
    await expect(asked).rejects.toThrow('stopped by the user');
  });
});

it('a server that is not there was not asked', async () => {
  const server = createServer();
  await listen(server);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const client = openProxmox(connectionTo(port, { fingerprint: OTHER }));
  await expect(client.put(['x'], anything)).rejects.toThrow(UnreachableError);
});

it.each([
  ['http://pve:8006', TOKEN_ID, OTHER],
  ['https://pve:8006/api2/json', TOKEN_ID, OTHER],
  ['pve', TOKEN_ID, OTHER],
  ['https://pve:8006', 'root@pam', OTHER],
  ['https://pve:8006', 'root@pam!x=secret', OTHER],
  ['https://pve:8006', TOKEN_ID, 'AA:BB'],
])('%s with %s and %s is refused before anything is sent', (url, tokenId, fingerprint) => {
  expect(() => openProxmox({ url, tokenId, fingerprint, tokenSecret: new Secret('x') })).toThrow(/expected/);
});

it('an answer that is not understood is told, not taken', async () => {
  const { client } = await double();
  await expect(client.get(['version'], z.object({ release: z.number() }))).rejects.toThrow('the answer is not understood');
  const { port } = await listener('HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>');
  const other = openProxmox(connectionTo(port, { fingerprint: testCertificate().fingerprint }));
  await expect(other.get(['version'], anything)).rejects.toThrow("'<html>' is not what the API answers with");
});
