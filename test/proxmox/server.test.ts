import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { control, serveControl } from './control.ts';
import { Store, token } from './double/state.ts';
import { create, type Running, running, TOKEN_ID, TOKEN_SECRET, testCertificate } from './testing.ts';

/* What the double says to calls that our client never makes, as the real daemon would. */

let now: Running;
afterEach(() => now?.close());

type Raw = { method?: string; path?: string; headers?: Record<string, string>; body?: string };

async function raw({
  method = 'GET',
  path = '/api2/json/version',
  headers = {},
  body,
}: Raw): Promise<{ status: string; head: IncomingMessage['headers']; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${now.connection.url}${path}`,
      { method, ca: testCertificate().cert, headers: { authorization: `PVEAPIToken=${TOKEN_ID}=${TOKEN_SECRET}`, ...headers } },
      (incoming) => {
        let text = '';
        incoming.on('data', (part) => {
          text += part;
        });
        incoming.on('end', () => resolve({ status: `${incoming.statusCode} ${incoming.statusMessage}`, head: incoming.headers, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

it.each<[string, Raw, string]>([
  [
    'a chunked body',
    { method: 'PUT', headers: { 'transfer-encoding': 'chunked' }, body: 'a=b' },
    '501 chunked transfer encoding not supported',
  ],
  ['a body with GET', { headers: { 'content-length': '3' }, body: 'a=b' }, "501 Unexpected content for method 'GET'"],
  [
    'a body with DELETE',
    { method: 'DELETE', headers: { 'content-length': '3' }, body: 'a=b' },
    "501 Unexpected content for method 'DELETE'",
  ],
  ['too large a body', { method: 'POST', headers: { 'content-length': '600000' }, body: 'x'.repeat(600_000) }, '501 for data too large'],
  [
    'another kind of body',
    { method: 'POST', headers: { 'content-type': 'text/plain', 'content-length': '3' }, body: 'a=b' },
    "506 upload 'Content-Type 'text/plain' not implemented",
  ],
  ['an unknown path', { path: '/api2/json/nowhere' }, "501 Method 'GET /nowhere' not implemented"],
  ['another tree', { path: '/api2/extjs/version' }, "501 no handler for '/api2/extjs/version'"],
  ['no token', { headers: { authorization: '' } }, '401 No ticket'],
  ['a wrong token', { headers: { authorization: `PVEAPIToken=${TOKEN_ID}=wrong` } }, '401 Authentication failed!'],
])('%s is refused as the real daemon refuses it', async (_, given, status) => {
  now = await running();
  const answer = await raw(given);
  expect(answer.status).toBe(status);
  expect(answer.head.connection).toBe('close');
  if (status.startsWith('401')) expect(answer.text).toBe('');
  else expect(JSON.parse(answer.text)).toMatchObject({ data: null, message: expect.stringMatching(/\n$/) });
});

it('a parameter that is given twice is a list, and refused where one is wanted', async () => {
  now = await running();
  const answer = await raw({ path: '/api2/json/cluster/resources?type=vm&type=node' });
  expect(JSON.parse(answer.text).errors).toEqual({ type: "type check ('string') failed - got ARRAY" });
});

it('the state outlives the process; a worker that died with it has no outcome', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-pve-'));
  try {
    const file = join(folder, 'state.json');
    const store = new Store(file);
    now = await running({ store });
    store.state.tokens = { [TOKEN_ID]: token(TOKEN_SECRET) };
    store.state.tasks.push({ upid: 'UPID:x', node: 'pve', type: 'vzstart', id: '1', user: 'x', starttime: 0, status: 'running', log: [] });
    await create(now.open({}), 101);
    const again = new Store(file).state;
    expect(again.guests.map(({ vmid, options }) => [vmid, options.hostname])).toEqual([[101, 'pote-dev']]);
    expect(again.tasks[0]).toMatchObject({ status: 'stopped', exitstatus: 'unexpected status' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('another process can look into it and make things go wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-pve-'));
  const socket = join(folder, 'control.sock');
  const store = new Store();
  const close = await serveControl(store, socket);
  try {
    await control(socket, { guests: [{ vmid: 150, running: true }], faults: [{ at: 'GET /version', kind: '596-after' }] });
    await control(socket, { guests: [{ vmid: 150, running: false }] });
    const state = await control(socket);
    expect(state.guests).toMatchObject([{ vmid: 150, running: false, type: 'lxc' }]);
    expect(state.faults).toHaveLength(1);
  } finally {
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
});
