import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const SOURCES = join(import.meta.dirname, '../tools/executors/src');

/**
 * What Nx does with the plugin before a task runs, as a process of its own: it makes the graph of our files, and asks the guard about a
 * command that names a project. Counted is each opening of a container.json; of modules, what is resolved by the name `zod`.
 */
const PROGRAM = `
import fs from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
const [root, sources] = process.argv.slice(1);
const seen = { graph: 0, guard: 0, zod: 0 };
let phase = 'graph';
const real = fs.readFileSync;
fs.readFileSync = (path, ...rest) => {
  if (String(path).endsWith('/container.json')) seen[phase]++;
  return real(path, ...rest);
};
syncBuiltinESMExports();
registerHooks({ resolve: (name, context, next) => (name === 'zod' && seen.zod++, next(name, context)) });
const { inferProjects } = await import(join(sources, 'plugin/infer.ts'));
const { beforeTasks } = await import(join(sources, 'plugin/hooks.ts'));
const made = await inferProjects(['infra/redis/container.json', 'infra/environments/prod.json'], undefined, { workspaceRoot: root });
phase = 'guard';
const nodes = Object.fromEntries(made.flatMap(([, { projects }]) => Object.values(projects).map((data) => [data.name, { data }])));
fs.mkdirSync(join(root, '.nx/workspace-data'), { recursive: true });
fs.writeFileSync(join(root, '.nx/workspace-data/project-graph.json'), JSON.stringify({ nodes }));
const argv = ['node', 'nx', 'run-many', '-t', 'configure', '-c', 'prod', '-p', 'redis'];
await beforeTasks(undefined, { id: 'a', workspaceRoot: root, nxJsonConfiguration: {}, argv });
console.log(JSON.stringify(seen));
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-reads-'));
  const files = { 'infra/redis/container.json': { service: 'redis', settings: {} }, 'infra/environments/prod.json': {} };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), JSON.stringify(content));
  }
});
afterEach(() => rmSync(root, { recursive: true }));

/** Under the daemon hours lie between the graph and a command, so each of the two reads for itself. */
it('nx itself reads a container.json once for its graph and once for a command, and never with zod', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, root, SOURCES], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: root },
  });
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ graph: 1, guard: 1, zod: 0 });
});
