import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ended, git, nxEnvironment, type Workspace } from '../e2e/workspace.ts';
import { copyRepository } from './copy.ts';

const DATA = ['minio', 'postgres', 'rabbitmq', 'redis'];
const ALL = [...DATA, 'notes', 'pote'].sort();

let copy: Workspace;
let base: string;
beforeAll(async () => {
  copy = await copyRepository();
  base = await copy.commit('base');
});
beforeEach(() => git(copy.root, 'reset', '-q', '--hard', base));
afterAll(() => rm(copy.root, { recursive: true, force: true }));

/** The projects that `nx affected -t configure` would configure after a commit of what is changed now. */
async function affected(): Promise<string[]> {
  await copy.commit('a change');
  const { code, output } = await copy.nx(['show', 'projects', '--affected', '-t', 'configure', `--base=${base}`, '--head=HEAD', '--json']);
  expect(code, output).toBe(0);
  return (JSON.parse(output) as string[]).sort();
}

const append = (file: string, text: string) => appendFile(join(copy.root, file), text);

it('a change of one container affects it alone', async () => {
  await copy.edit('infra/redis/container.json', ({ settings }) => Object.assign(settings as object, { maxmemory: '300mb' }));
  expect(await affected()).toEqual(['redis']);
  const graph = join(copy.root, 'tasks.json');
  const { code, output } = await copy.nx([
    'affected',
    '-t',
    'configure',
    '-c',
    'local',
    `--base=${base}`,
    '--head=HEAD',
    `--graph=${graph}`,
  ]);
  expect(code, output).toBe(0);
  const { tasks } = JSON.parse(await readFile(graph, 'utf8'));
  expect(Object.keys(tasks.tasks).sort()).toEqual(
    ['zfs:preflight', 'zfs:snapshot', 'redis:snapshot', 'redis:provision', 'redis:configure'].sort(),
  );
});

it('a change of an environment affects all', async () => {
  await copy.edit('infra/environments/staging.json', (environment) => Object.assign(environment, { description: 'Another' }));
  expect(await affected()).toEqual(ALL);
});

it('a change of the storage host affects its containers', async () => {
  await append('infra/zfs/storage.json', '\n');
  expect(await affected()).toEqual(DATA);
});

it('an application is affected by a change of a container that it needs', async () => {
  await copy.edit('infra/apps/pote/app.json', (app) => Object.assign(app, { needs: ['postgres'] }));
  base = await copy.commit('pote needs postgres');
  await append('infra/postgres/container.json', '\n');
  expect(await affected()).toEqual(['postgres', 'pote']);
});

it('documents and tests affect none', async () => {
  await append('README.md', '\n');
  await append('test/e2e/output.ts', '\n');
  await writeFile(join(copy.root, 'docs/another.md'), '# Another\n');
  expect(await affected()).toEqual([]);
});

// The last one: what it builds is of sources that the others do not have.
it('a change of the plugin affects all', async () => {
  await append('tools/executors/src/engine/version.ts', '// changed\n');
  const built = await ended('node', ['tools/executors/build.mjs'], copy.root, nxEnvironment());
  expect(built.code, built.output).toBe(0);
  expect(await affected()).toEqual(ALL);
});
