import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PostTasksExecutionContext, PreTasksExecutionContext } from '@nx/devkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { afterTasks, beforeTasks } from './hooks.ts';

let root: string;
const write = (file: string, content: unknown) => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), JSON.stringify(content));
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-hooks-'));
  write('infra/redis/container.json', { service: 'redis' });
  write('infra/environments/prod.json', {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

describe('before the tasks', () => {
  const altered = { data: { root: 'infra/redis', targets: { verify: { cache: true } } } };
  const before = () =>
    beforeTasks(undefined, {
      id: 'a',
      workspaceRoot: root,
      nxJsonConfiguration: {},
      argv: ['node', 'nx', 'run-many', '-t', 'verify', '-c', 'prod'],
    } as PreTasksExecutionContext);

  it.each<[string, Record<string, string>]>([
    ['.nx/workspace-data', {}],
    ['ours', { NX_WORKSPACE_DATA_DIRECTORY: 'ours', NX_PROJECT_GRAPH_CACHE_DIRECTORY: 'older' }],
    ['older', { NX_PROJECT_GRAPH_CACHE_DIRECTORY: 'older' }],
  ])('the graph in %s is compared with ours', async (folder, variables) => {
    vi.stubEnv('NX_WORKSPACE_DATA_DIRECTORY', undefined);
    vi.stubEnv('NX_PROJECT_GRAPH_CACHE_DIRECTORY', undefined);
    vi.stubEnv('MOORING_RUN_ID', 'given');
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    write(`${folder}/project-graph.json`, { nodes: { redis: altered } });
    await expect(before()).rejects.toThrow('nx would run modified nx-mooring targets: redis:verify');
  });

  describe('a project that is nowhere', () => {
    const run = (project: string) =>
      beforeTasks(undefined, {
        ...{ id: 'a', workspaceRoot: root, nxJsonConfiguration: {} },
        argv: ['node', 'nx', 'run-many', '-t', 'verify', '-c', 'prod', '-p', project],
      } as PreTasksExecutionContext);
    beforeEach(() => {
      vi.stubEnv('NX_WORKSPACE_DATA_DIRECTORY', undefined);
      vi.stubEnv('NX_PROJECT_GRAPH_CACHE_DIRECTORY', undefined);
      vi.stubEnv('MOORING_RUN_ID', 'given');
      write('.nx/workspace-data/project-graph.json', { nodes: { '@org/web': { data: { root: 'apps/web' } } } });
      write('infra/billing/container.json', {});
    });

    it('may be that of a file that cannot be read, which is told', async () => {
      writeFileSync(join(root, 'infra/billing/container.json'), '{ "name": "payments", }');
      await expect(run('payments')).rejects.toThrow('infra/billing/container.json');
    });

    it("is left to nx where all files can be read, as somebody else's project is", async () => {
      await expect(run('payments')).resolves.toBeUndefined();
      writeFileSync(join(root, 'infra/billing/container.json'), '{');
      for (const name of ['@org/web', 'web', 'apps/web']) await expect(run(name)).resolves.toBeUndefined();
    });
  });
});

describe('after the tasks', () => {
  const after = (...tasks: [project: string, projectRoot: string, target: string, status: string][]) =>
    afterTasks(undefined, {
      id: 'b',
      workspaceRoot: root,
      taskResults: Object.fromEntries(
        tasks.map(([project, projectRoot, target, status]) => [
          `${project}:${target}`,
          { task: { id: `${project}:${target}`, target: { project, target }, projectRoot }, status },
        ]),
      ),
    } as unknown as PostTasksExecutionContext);

  it('a failed step of ours is told', async () => {
    await expect(after(['redis', 'infra/redis', 'configure', 'failure'], ['web', 'web', 'deploy', 'failure'])).rejects.toThrow(
      /^failed: redis:configure$/m,
    );
  });

  it("a target of the same name in somebody else's project is theirs", async () => {
    await expect(after(['web', 'web', 'deploy', 'failure'], ['redis', 'infra/redis', 'verify', 'failure'])).resolves.toBeUndefined();
  });
});
