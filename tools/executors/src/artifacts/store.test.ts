import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { artifactKey } from '../engine/artifact.ts';
import type { ArtifactSpec } from '../engine/service.ts';
import { available } from './available.ts';
import { findStored, storeFolders } from './content.ts';
import { obtain } from './store.ts';

const CONTENT = 'the program\n';
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

let root: string;
let server: Server;
let base: string;
let requests: string[];
/** What the server does with a GET; it answers after 50 ms. */
let answer: { status: number; body: string };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mooring "store" $x '));
  requests = [];
  answer = { status: 200, body: CONTENT };
  server = createServer((request, response) => {
    requests.push(String(request.method));
    if (request.url === '/moved') response.writeHead(302, { location: '/minio' }).end();
    else if (request.method === 'HEAD' && request.url === '/get-only') response.writeHead(403).end();
    else setTimeout(() => response.writeHead(answer.status).end(answer.body), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true, force: true });
});

const spec = (path = '/minio', sha256 = SHA256): ArtifactSpec => ({ kind: 'url', url: `${base}${path}`, sha256, version: '1' });
const inStore = async () => (await readdir(storeFolders(root).content).catch(() => [])).sort();
const leftovers = async () => [
  ...(await readdir(storeFolders(root).scratch).catch(() => [])),
  ...(await readdir(storeFolders(root).locks).catch(() => [])),
];

describe('an artifact from a URL', () => {
  it('is downloaded once, and then comes from the store', async () => {
    const lines: string[] = [];
    const first = await obtain(spec('/moved'), { root, progress: (line) => lines.push(line) });
    expect(await readFile(first.path, 'utf8')).toBe(CONTENT);
    expect(first).toMatchObject({ sha256: SHA256, version: '1' });
    expect((await stat(first.path)).mode & 0o777).toBe(0o755);
    expect(lines[0]).toMatch(/^moved 1: downloading http:.* \(0 s\)$/);
    requests = [];
    expect(await obtain(spec('/moved'), { root })).toEqual(first);
    expect(requests).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  it('is refused when its sha256 is another, and nothing is stored', async () => {
    const wrong = '0'.repeat(64);
    await expect(obtain(spec('/minio', wrong), { root })).rejects.toThrow(`its sha256 is ${SHA256}, the settings say ${wrong}`);
    expect(await inStore()).toEqual([]);
    expect(await leftovers()).toEqual([]);
    await obtain(spec(), { root });
    expect(await inStore()).toHaveLength(2);
  });

  it('is an error that names the URL, without what may be secret in it, when the server does not give it', async () => {
    answer = { status: 410, body: 'gone' };
    await expect(obtain(spec('/minio?signature=abcdef'), { root })).rejects.toThrow(/\/minio cannot be downloaded: HTTP 410$/);
    server.closeAllConnections();
    server.close();
    await expect(obtain(spec(), { root })).rejects.toThrow(/could not be downloaded: .*ECONNREFUSED/);
  });

  it('is downloaded once when two ask at once', async () => {
    const [one, two] = await Promise.all([obtain(spec(), { root }), obtain(spec(), { root })]);
    expect(one).toEqual(two);
    expect(requests).toEqual(['GET']);
  });

  it('leaves nothing behind when it is given up', async () => {
    const signal = AbortSignal.timeout(10);
    await expect(obtain(spec(), { root, signal })).rejects.toThrow(/abort|timeout/i);
    expect(await inStore()).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });
});

describe('the store', () => {
  it('hashes a file whose time has changed, as Nx brings files back, and throws a damaged one away', async () => {
    const { path } = await obtain(spec(), { root });
    await utimes(path, 1, 1);
    expect(await findStored(root, spec())).toBeDefined();
    await writeFile(path, 'the progrxm\n');
    expect(await findStored(root, spec())).toBeUndefined();
    expect(await inStore()).toEqual([`${artifactKey(spec())}.json`]);
    expect((await obtain(spec(), { root })).sha256).toBe(SHA256);
  });

  it('takes a record that it cannot read for none', async () => {
    await obtain(spec(), { root });
    await writeFile(join(storeFolders(root).content, `${artifactKey(spec())}.json`), '{"sha256":');
    expect(await findStored(root, spec())).toBeUndefined();
  });

  it('takes over from a process that is gone, and clears up after it', async () => {
    await obtain(spec('/minio', SHA256), { root });
    await rm(storeFolders(root).content, { recursive: true });
    const { hostname } = await import('node:os');
    await writeFile(join(storeFolders(root).locks, artifactKey(spec())), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }));
    await mkdir(join(storeFolders(root).scratch, `${artifactKey(spec())}.${2 ** 22 + 1}`));
    expect((await obtain(spec(), { root })).sha256).toBe(SHA256);
    expect(await leftovers()).toEqual([]);
  });

  it('waits for a process that is at it, and says so', async () => {
    await obtain(spec(), { root });
    await rm(storeFolders(root).content, { recursive: true });
    const { hostname } = await import('node:os');
    const lock = join(storeFolders(root).locks, artifactKey(spec()));
    await writeFile(lock, JSON.stringify({ pid: process.pid, host: hostname() }));
    const lines: string[] = [];
    const waiting = obtain(spec(), { root, progress: (line) => lines.push(line) });
    await expect.poll(() => lines).toContainEqual(expect.stringContaining(`waiting for process ${process.pid}`));
    await rm(lock);
    expect((await waiting).sha256).toBe(SHA256);
  });
});

describe('whether it can be had', () => {
  it('is told without taking it', async () => {
    expect(await available(spec(), { root })).toEqual({ ok: true, how: 'download' });
    expect(await available(spec('/get-only'), { root })).toEqual({ ok: true, how: 'download' });
    expect(requests).toEqual(['HEAD', 'HEAD', 'GET']);
    expect(await inStore()).toEqual([]);
    await obtain(spec(), { root });
    expect(await available(spec(), { root })).toEqual({ ok: true, how: 'stored' });
  });

  it('is told with the reason when it cannot', async () => {
    answer = { status: 404, body: '' };
    expect(await available(spec(), { root })).toMatchObject({
      ok: false,
      because: expect.stringMatching(/^minio 1 cannot be obtained: .*404$/),
      next: expect.any(String),
    });
  });
});
