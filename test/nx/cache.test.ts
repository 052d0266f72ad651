import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { git, type Workspace } from '../e2e/workspace.ts';
import { cloneOf, copyRepository } from './copy.ts';

const PROGRAM = 'a program that is quick to obtain\n';
const SHA256 = createHash('sha256').update(PROGRAM).digest('hex');
const STORED = `.mooring/artifacts/${SHA256}`;

/** How often the program was asked for. */
let downloads = 0;
const server = createServer((_, response) => {
  downloads++;
  response.end(PROGRAM);
});
/** Nx keeps its cache below the home folder, one for all clones of a repository. */
let home: string;
let first: Workspace;
let second: Workspace;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  home = await mkdtemp(join(tmpdir(), 'mooring-home-'));
  first = await copyRepository();
  await useProgram('v1', `http://127.0.0.1:${port}/minio`);
  await first.commit('a small program in place of MinIO');
  second = await cloneOf(first);
});
afterAll(async () => {
  server.close();
  for (const folder of [home, first.root, second.root]) await rm(folder, { recursive: true, force: true });
});

function useProgram(version: string, url: string): Promise<void> {
  return first.edit('infra/minio/container.json', ({ settings }) =>
    Object.assign(settings as object, { binary: { version, url, sha256: SHA256 } }),
  );
}

async function artifact(workspace: Workspace): Promise<string> {
  const { code, output } = await workspace.nx(['run', 'minio:artifact', '--output-style=static'], {
    env: { HOME: home, NX_CACHE_DIRECTORY: '', FORCE_COLOR: '0' },
  });
  expect(code, output).toBe(0);
  return output;
}

it('minio:artifact is restored in a second clone, without obtaining it', async () => {
  const obtained = await artifact(first);
  expect(obtained).not.toContain('cache');
  expect(obtained).toContain('minio v1: downloading http://127.0.0.1:');
  expect(downloads).toBe(1);
  const restored = await artifact(second);
  expect(restored).toContain('nx run minio:artifact  [local cache]');
  // What is so now: where it is. Nothing was downloaded.
  expect(restored).toContain(`v1: ${STORED}, sha256 ${SHA256}`);
  expect(restored).not.toContain('downloading');
  expect(downloads).toBe(1);
  expect(await readFile(join(second.root, STORED), 'utf8')).toBe(PROGRAM);
});

it('what others have put into the store stays when it is restored', async () => {
  const other = join(second.root, '.mooring/artifacts/of-another-service');
  await writeFile(other, 'theirs');
  await rm(join(second.root, STORED));
  expect(await artifact(second)).toContain('[local cache]');
  expect(await readFile(join(second.root, STORED), 'utf8')).toBe(PROGRAM);
  expect(await readFile(other, 'utf8')).toBe('theirs');
});

it.each([
  ['its settings', 'infra/minio/container.json'],
  ['an environment, which may override them', 'infra/environments/staging.json'],
])('it is asked for again after a change of %s', async (_, file) => {
  await git(second.root, 'checkout', '-q', '.');
  await second.edit(file, (content) => Object.assign(content, { description: 'Another' }));
  expect(await artifact(second)).not.toMatch(/\[.*cache.*\]/);
});

it('it is not asked for again after a change of what it has nothing to do with', async () => {
  await git(second.root, 'checkout', '-q', '.');
  await second.edit('infra/redis/container.json', (content) => Object.assign(content, { description: 'Another' }));
  expect(await artifact(second)).toMatch(/\[.*cache.*\]/);
});
