import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { git, type Workspace } from '../e2e/workspace.ts';
import { copyRepository } from './copy.ts';

/* What is wrong is told by every command: run-many, affected and graph print nothing of what a plugin throws while the graph is made. */

let copy: Workspace;
beforeAll(async () => {
  copy = await copyRepository();
});
beforeEach(() => git(copy.root, 'reset', '-q', '--hard'));
afterAll(() => rm(copy.root, { recursive: true, force: true }));

const CONFIGURE = {
  'run-many': ['run-many', '-t', 'configure', '-c', 'local'],
  'run-many of one': ['run-many', '-t', 'configure', '-c', 'local', '-p', 'redis'],
  'run-many of one that is not there': ['run-many', '-t', 'configure', '-c', 'local', '-p', 'cache'],
  affected: ['affected', '-t', 'configure', '-c', 'local', '--base=HEAD'],
  run: ['run', 'redis:configure', '-c', 'local'],
};

/** A password that somebody wrote in clear: V8 quotes the text around what is no JSON. */
const NO_JSON = '{ "password": "hunter2" "x"';

/** A command that fails and says why and where that is explained. */
async function refused(args: readonly string[], ...says: readonly string[]): Promise<void> {
  const { code, output } = await copy.nx([...args, '--output-style=static']);
  expect(code, output).toBe(1);
  for (const words of says) expect(output).toContain(words);
  expect(output).toMatch(/more: {4}docs\/\S+\.md#\S+/);
  expect(output).not.toContain('hunter2');
}

describe.each(Object.entries(CONFIGURE))('%s', (_, args) => {
  it('tells which file is no JSON', async () => {
    await writeFile(join(copy.root, 'infra/redis/container.json'), NO_JSON);
    await refused(args, 'infra/redis/container.json: not valid JSON', 'next:    fix');
  });

  it('tells that the build is older than its sources', async () => {
    await appendFile(join(copy.root, 'tools/executors/src/engine/version.ts'), '// changed\n');
    await refused(args, "the plugin's build is older than its sources: npm run build");
  });
});

it('run-many tells all that is wrong with the files, at once', async () => {
  await rm(join(copy.root, 'infra/zfs/storage.json'));
  await writeFile(join(copy.root, 'infra/minio/container.json'), NO_JSON);
  await copy.edit('infra/redis/container.json', (file) => Object.assign(file, { name: 5 }));
  await refused(
    CONFIGURE['run-many'],
    'infra: no storage.json',
    'infra/minio/container.json: not valid JSON',
    'infra/redis/container.json: name: found 5',
  );
});

it('run-many tells of a file of another version', async () => {
  await copy.edit('infra/redis/container.json', (file) => Object.assign(file, { version: 2 }));
  await refused(CONFIGURE['run-many'], 'infra/redis/container.json: version: the file is of version 2');
});

it('a name that is no text is told by a command of another project as well', async () => {
  await copy.edit('infra/redis/container.json', (file) => Object.assign(file, { name: 5 }));
  await refused(['run', 'minio:configure', '-c', 'local'], 'infra/redis/container.json: name: found 5');
});

it('the graph is shown whatever the files hold', async () => {
  await writeFile(join(copy.root, 'infra/redis/container.json'), NO_JSON);
  const { code, output } = await copy.nx(['show', 'projects', '--with-target=drill', '--json']);
  expect(code, output).toBe(0);
  expect(JSON.parse(output)).toContain('redis');
});
