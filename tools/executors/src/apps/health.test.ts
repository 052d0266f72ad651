import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as http2, createSecureServer as https2 } from 'node:http2';
import { createServer as https } from 'node:https';
import { type AddressInfo, connect, type Server, createServer as tcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../../../../test/app-settings.ts';
import { AppWorld } from '../../../../test/app-world.ts';
import { outside } from './health.ts';

/* The health check against real servers: the deploy script's, with the real curl, and the one over the guest's address. */

const folder = mkdtempSync(join(tmpdir(), 'mooring-health-'));
let tls: { key: Buffer; cert: Buffer };
let front: Server;
const servers: Server[] = [];
const worlds: AppWorld[] = [];

beforeAll(async () => {
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const of = ['-subj', '/CN=notes.example.org', '-days', '2', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...of], { stdio: 'ignore' });
  tls = { key: readFileSync(key), cert: readFileSync(cert) };
  front = await listening(createServer((_, response) => response.writeHead(404).end()));
  servers.splice(0);
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => {
  front.close();
  for (const world of worlds) world.remove();
  rmSync(folder, { recursive: true });
});

async function listening<S extends Server>(server: S): Promise<S> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return server;
}
const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** What both checks say of a server with these settings of `health`: inside first, then outside. */
async function check(server: Server, health: Record<string, unknown> = {}, other = front): Promise<[string, string]> {
  await listening(server);
  const over = { ports: { backend: portOf(server), frontend: portOf(other) }, health: { timeoutSeconds: 1, ...health } };
  const world = new AppWorld(over);
  worlds.push(world);
  world.start();
  const { output } = await world.run(['health', String(over.health.timeoutSeconds)]);
  const desired = {
    settings: settings('node', over),
    context: { environment: 'dev', instance: 'notes-dev', clientNetworks: [], artifacts: {} },
  };
  const seen = await outside(desired, async (port) => connect(port, '127.0.0.1')).then(
    ({ detail }) => detail ?? '',
    (error: Error) => error.message,
  );
  return [output.trimEnd(), seen].map((text) => text.replaceAll(String(portOf(server)), 'PORT')) as [string, string];
}

/** Answers to one host name, as Django's ALLOWED_HOSTS and Rails' config.hosts have it. */
const byHost: RequestListener = (request, response) =>
  request.headers.host === 'notes.example.org'
    ? response.end('fine')
    : response.writeHead(400).end(`Invalid HTTP_HOST header: ${request.headers.host}`);
/** Wants TLS to have been in front of it. */
const byProto: RequestListener = (request, response) =>
  request.headers['x-forwarded-proto'] === 'https'
    ? response.end('fine')
    : response.writeHead(301, { location: 'https://notes.example.org/health' }).end();
const always =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(code, headers).end(code === 204 ? undefined : 'said so');
const redirect = always(308, { location: 'https://notes.example.org/health' });

describe('an application that looks at the Host header', () => {
  it('is asked by its domain', async () => {
    expect(await check(createServer(byHost), { host: 'notes.example.org' })).toEqual(['200 fine', '/health answers 200']);
  });

  it('keeps its good release', async () => {
    const port = portOf(await listening(createServer(byHost)));
    const over = { ports: { backend: port, frontend: portOf(front) }, health: { timeoutSeconds: 1, host: 'notes.example.org' } };
    const world = new AppWorld(over);
    worlds.push(world);
    const commit = world.commit();
    expect(await world.run([])).toMatchObject({ code: 0, output: expect.stringContaining('/health as notes.example.org answers 200') });
    expect(await world.releases()).toEqual([`* good ${commit}`]);
  });

  it('without one, the message names the setting', async () => {
    expect(await check(createServer(byHost))).toEqual([
      expect.stringContaining(
        'answers 400: Invalid HTTP_HOST header: 127.0.0.1:PORT; if it looks at the Host header, set "host" in "health" of app.json',
      ),
      'port PORT answers /health with 400',
    ]);
  });
});

describe('an application that redirects to https', () => {
  it('is told that TLS ended in front of it', async () => {
    expect(await check(createServer(byProto))).toEqual(['200 fine', '/health answers 200']);
  });

  it('is not healthy where it redirects all the same, and the message names the settings', async () => {
    expect(await check(createServer(byProto), { forwardedProto: 'none' })).toEqual([
      expect.stringMatching(
        /answers 301, a redirect to https:\/\/notes.example.org\/health; if it wants to be called by its domain, set "host" .*; if that is its healthy answer, set "expect": \[301\]/,
      ),
      // Inside it was judged; from here it only has to be reached.
      '/health answers 301',
    ]);
  });

  it('is healthy where that is expected', async () => {
    expect(await check(createServer(redirect), { expect: [308] })).toEqual(['308 said so', '/health answers 308']);
  });

  it('the scheme of a redirect may be in any case (RFC 3986, 3.1)', async () => {
    const loud = always(301, { location: 'HTTPS://notes.example.org/health' });
    expect((await check(createServer(loud), { forwardedProto: 'none' }))[1]).toBe('/health answers 301');
  });

  it('a redirect to a page for logging in is no answer from outside', async () => {
    expect(await check(createServer(always(302, { location: '/login' })))).toEqual([
      expect.stringContaining('answers 302, a redirect to http://127.0.0.1:PORT/login; if it is healthy by what it says there, set "path"'),
      'port PORT answers /health with 302',
    ]);
  });
});

describe('its neighbours', () => {
  it.each<[string, () => Server, Record<string, unknown>, number]>([
    ['https with a certificate of its own', () => https(tls, always(200)), { protocol: 'https' }, 200],
    ['https that knows one name', () => https(tls, byHost), { protocol: 'https', host: 'notes.example.org' }, 200],
    ['HTTP/2 over TLS alone', () => https2(tls, (_, response) => response.end('fine')), { protocol: 'https' }, 200],
    ['HTTP/2 without TLS alone', () => http2((_, response) => response.end('fine')), { protocol: 'h2c' }, 200],
    ['no content', () => createServer(always(204)), {}, 204],
    ['basic authentication', () => createServer(always(401)), { expect: ['2xx', 401] }, 401],
    [
      'a query',
      () => createServer((request, response) => response.writeHead(request.url === '/health?deep=1&of=db' ? 200 : 404).end()),
      { path: '/health?deep=1&of=db' },
      200,
    ],
    ['a body of many lines, the last one like a status', () => createServer((_, response) => response.end('a\n500 \n')), {}, 200],
  ])('%s', async (_, server, health, code) => {
    const [inside, seen] = await check(server(), health);
    expect(inside).toMatch(new RegExp(`^${code}( |$)`));
    expect(seen).toBe(`${health.path ?? '/health'} answers ${code}`);
  });

  it('a server that speaks something else, and 401: the message names the setting', async () => {
    expect((await check(https(tls, always(200))))[0]).toMatch(
      /gives no answer: curl: .*; if it speaks https or HTTP\/2 alone, set "protocol"/,
    );
    expect((await check(createServer(always(401))))[0]).toContain('if that is its healthy answer, set "expect": [401]');
  });

  it.each<[string, () => Server]>([
    ['TLS', () => https(tls, always(200))],
    ['HTTP/2 without TLS', () => http2((_, response) => response.end('fine'))],
  ])('the other port may speak %s alone', async (_, other) => {
    expect((await check(createServer(always(200)), {}, await listening(other())))[0]).toBe('200 said so');
  });

  it('the other port must answer', async () => {
    const silent = await listening(tcp((socket) => socket.destroy()));
    // Whether the other side has read what was asked before it goes is a matter of time: curl's "empty reply", or its "connection reset".
    expect((await check(createServer(always(200)), {}, silent))[0]).toMatch(
      new RegExp(`^port ${portOf(silent)} gives no answer: curl: \\((52|56)\\) `),
    );
  });

  it('a first answer that is slow is waited for', async () => {
    let asked = 0;
    const slow = createServer((_, response) => {
      asked += 1;
      setTimeout(() => response.end('fine'), asked === 1 ? 6000 : 0);
    });
    const [inside] = await check(slow, { timeoutSeconds: 20 });
    expect(inside).toBe('200 fine');
    // By outside once more.
    expect(asked).toBe(2);
  });
});
