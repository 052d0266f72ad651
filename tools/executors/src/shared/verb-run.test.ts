import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { NotPartError } from '../engine/errors.ts';
import { rendered } from '../executors/shared/answer.ts';
import { artifactReport } from '../report/artifact.ts';
import { artifact } from '../verbs/artifact/index.ts';
import { worldOf } from '../world/index.ts';
import { openRun } from './run.ts';
import { withLook, withRun } from './verb-run.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const SECRETS = ['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY', 'MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD'];

/** Two MinIO servers, each with a binary of its own; `/slow` is never answered. */
let root: string;
let url: string;
const server = createServer((request, response) => {
  if (request.url !== '/slow') response.end(`the program of ${request.url}`);
});
const binary = (path: string) => ({ version: 'v1', url: `${url}${path}`, sha256: sha256(`the program of ${path}`) });

function write(file: string, content: unknown): void {
  mkdirSync(join(root, dirname(file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
}

function minio(name: string, path: string): void {
  const secret = (word: string) => ({ secret: `MINIO_${word}` });
  const keys = { accessKey: secret('ACCESS_KEY'), secretKey: secret('SECRET_KEY'), rootUser: secret('ROOT_USER') };
  const settings = { bucket: 'blobs', ...keys, rootPassword: secret('ROOT_PASSWORD'), binary: binary(path) };
  write(`infra/${name}/container.json`, { description: name, service: 'minio', environments: ['local'], settings });
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-verbs-'));
  write('nx.json', {});
  write('infra/zfs/storage.json', { description: 'The storage' });
  const environment = { host: 'local', incus: { project: 'x', profiles: ['x'], image: 'x' }, prefix: 'x-', network: 'x', retention: 5 };
  write('infra/environments/local.json', environment);
  write('infra/environments/other.json', { ...environment, prefix: 'y-' });
  write('.secrets/local.env', SECRETS.map((name) => `${name}=${name.toLowerCase()}\n`).join(''));
  minio('uploads', '/a');
  minio('archive', '/b');
  return () => rmSync(root, { recursive: true });
});

const request = (print: (line: string) => void) => ({
  ...{ root, environment: 'local', world: worldOf(root), projects: ['uploads'], options: { json: true }, runId: 'none' },
  ...{ signal: new AbortController().signal, print },
});

it('each container has the binary that its own settings name', async () => {
  const run = await openRun(request(() => {}));
  const stored = await Promise.all(run.targets.map(async (target) => [target.project, await run.obtain(target, 'minio')] as const));
  const contents = stored.map(([project, { path }]) => [project, readFileSync(path, 'utf8')]);
  expect(Object.fromEntries(contents)).toEqual({ uploads: 'the program of /a', archive: 'the program of /b' });
});

it('progress goes where the request says, and not to stdout', async () => {
  const stdout = vi.spyOn(console, 'log').mockImplementation(() => {});
  const printed: string[] = [];
  const result = await withRun(
    request((line) => printed.push(line)),
    async (run) => {
      run.progress('waiting for Incus');
      return { success: true, data: '{}' };
    },
  );
  expect(result).toMatchObject({ success: true, data: '{}' });
  expect(printed).toEqual(['waiting for Incus']);
  expect(stdout).not.toHaveBeenCalled();
});

it('a container that is not part of the environment is none of the answer', async () => {
  await expect(withRun({ ...request(() => {}), environment: 'other' }, async () => expect.fail('asked'))).rejects.toThrow(NotPartError);
});

it.each<[string, () => void, string]>([
  ['a mistake in its file', () => write('infra/archive/container.json', '{'), 'not valid JSON'],
  ['a secret that is missing', () => accessKey('OTHER_KEY'), 'OTHER_KEY is missing'],
  ['a secret that its service does not take', () => accessKey('SHORT'), 'accessKey'],
])('a container with %s is told beside the others to who looks, and what changes is refused', async (_, spoil, told) => {
  spoil();
  const looked = (...projects: string[]) =>
    withLook({ ...request((line) => printed.push(line)), projects }, async (run, { targets, faulty }) => {
      expect(run.faulty.map(({ project, instance, host }) => [project, instance, host])).toEqual([['archive', 'x-archive', 'local']]);
      return { success: true, data: [...targets.map(({ project }) => project), ...faulty.map(({ error }) => error.message)].join(' ') };
    });
  const printed: string[] = [];
  expect((await looked('zfs')).data).toMatch(new RegExp(`^uploads .*${told}`));
  expect((await looked('archive')).data).toMatch(new RegExp(`^\\S.*${told}|^${told}`));
  expect(printed).toEqual([]);
  expect((await looked('uploads')).data).toBe('uploads');
  expect(printed).toEqual([
    expect.stringMatching(`^archive is not part of this command, but no deploy begins before it is fixed: .*${told}`),
  ]);
  await expect(openRun(request(() => {}))).rejects.toThrow();
});

/** Another access key for the archive; `SHORT` has fewer than the three characters that MinIO wants. */
function accessKey(secret: string): void {
  write('.secrets/local.env', [...SECRETS.map((name) => `${name}=${name.toLowerCase()}\n`), 'SHORT=x\n'].join(''));
  const { settings, ...file } = JSON.parse(readFileSync(join(root, 'infra/archive/container.json'), 'utf8'));
  write('infra/archive/container.json', { ...file, settings: { ...settings, accessKey: { secret } } });
}

it('artifact prints where it is told to, and gives JSON', async () => {
  const stdout = vi.spyOn(console, 'log').mockImplementation(() => {});
  const printed: string[] = [];
  const answer = await artifact(request((line) => printed.push(line)));
  const { output } = rendered(artifactReport, answer, { json: true }, true);
  const of = sha256('the program of /a');
  expect(JSON.parse(output)).toEqual({ artifacts: [{ version: 'v1', path: `.mooring/artifacts/${of}`, sha256: of }] });
  expect(printed[0]).toMatch(/^a v1: downloading http:/);
  expect(stdout).not.toHaveBeenCalled();
});

it('artifact ends when it is told to', async () => {
  minio('uploads', '/slow');
  const controller = new AbortController();
  const end = () => controller.abort('ended by SIGTERM');
  await expect(artifact({ ...request(() => end()), signal: controller.signal })).rejects.toThrow();
});
