import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { git, REPOSITORY, Workspace } from '../e2e/workspace.ts';

/* A workspace of a stranger that has the package, and a Node that is too old for it. */

let root: string;
let workspace: Workspace;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mooring-older-'));
  await mkdir(join(root, 'node_modules'));
  for (const name of await readdir(join(REPOSITORY, 'node_modules')))
    if (name !== '.bin') await symlink(join(REPOSITORY, 'node_modules', name), join(root, 'node_modules', name));
  await writeFile(join(root, 'package.json'), '{ "name": "@acme/shop", "private": true }\n');
  await writeFile(join(root, 'nx.json'), '{}\n');
  await writeFile(join(root, '.gitignore'), 'node_modules\n.nx\nolder.cjs\n');
  // What every check of a version reads, in nx and in all that it starts.
  await writeFile(join(root, 'older.cjs'), "Object.defineProperty(process.versions, 'node', { value: '20.20.2', configurable: true });\n");
  await git(root, 'init', '-q', '-b', 'main');
  workspace = new Workspace(root, 'local');
  await workspace.commit('empty');
});
afterAll(() => rm(root, { recursive: true, force: true }));

const nx = (...args: string[]) => workspace.nx(args, { env: { NODE_OPTIONS: `--require=${join(root, 'older.cjs')}` } });

it.each([
  ['init', []],
  ['container', ['redis']],
])('%s refuses before it writes, and every nx command works as before', async (generator, args) => {
  const { code, output } = await nx('g', `nx-mooring:${generator}`, ...args);
  expect(code, output).toBe(1);
  expect(output).toContain('nx-mooring needs Node 22.18 or newer; this is Node 20.20.2. Nothing was written');
  expect(output).toContain('take the package out again: npm');
  expect(output).not.toMatch(/^\s+at /m);
  expect(await readFile(join(root, 'nx.json'), 'utf8')).toBe('{}\n');
  expect(await git(root, 'status', '--porcelain')).toBe('');
  expect(await nx('show', 'projects')).toMatchObject({ code: 0 });
});

it('a workspace that has the plugin is told what is true of it', async () => {
  await writeFile(join(root, 'nx.json'), '{ "plugins": ["nx-mooring/plugin"] }\n');
  const { code, output } = await nx('show', 'projects');
  expect(code, output).toBe(1);
  expect(output).toContain('this is Node 20.20.2. Start nx with a newer one; where there is none, take "nx-mooring/plugin" out');
});
