import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY, run, Workspace } from '../e2e/workspace.ts';

/** An executor that does nothing for a whole batch: one process and one result for each task, as any batch has. */
const EXECUTOR = {
  'package.json': { name: 'empty', version: '0.0.0', executors: './executors.json' },
  'executors.json': {
    executors: { step: { implementation: './one.js', batchImplementation: './batch.js', preferBatch: true, schema: './schema.json' } },
  },
  'schema.json': { version: 2, type: 'object', properties: {} },
  'one.js': 'exports.default = async () => ({ success: true });\n',
  'batch.js': `exports.default = async function* (graph) {
  for (const task of Object.keys(graph.tasks)) yield { task, result: { success: true, terminalOutput: '' } };
};
`,
};

/**
 * A workspace with the same task graph as a deploy of some containers, all of whose tasks are one empty batch: what nx
 * itself costs. Its projects stand in project.json files: no plugin has to be asked.
 *
 * @param containers names of the container projects
 */
export async function makeEmptyWorkspace(environment: string, containers: readonly string[]): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), `mooring-${environment}-empty-`));
  const write = async (file: string, content: unknown) => {
    await mkdir(join(root, file, '..'), { recursive: true });
    await writeFile(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  };
  for (const [file, content] of Object.entries(EXECUTOR)) await write(`tools/empty/${file}`, content);
  await write('nx.json', { analytics: false, neverConnectToCloud: true, cacheDirectory: '.nx/cache', tui: { enabled: false } });
  await write('package.json', { name: 'empty-bench', private: true });
  await write('.gitignore', 'node_modules\n.nx\n');
  const step = (dependsOn: readonly unknown[]) => ({
    executor: './tools/empty:step',
    cache: false,
    configurations: { [environment]: {} },
    dependsOn,
  });
  const before = (target: string, more = {}) => ({ target, params: 'forward', ...more });
  await write('zfs/project.json', { name: 'zfs', targets: { preflight: step([]), snapshot: step([before('preflight')]) } });
  for (const name of containers) {
    const targets = {
      snapshot: step([before('snapshot', { projects: ['zfs'] })]),
      provision: step([before('snapshot')]),
      configure: step([before('provision')]),
    };
    await write(`${name}/project.json`, { name, targets });
  }
  await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  await run('git', ['-C', root, 'init', '-q', '-b', 'main']);
  const workspace = new Workspace(root, environment);
  await workspace.commit('first');
  return workspace;
}
