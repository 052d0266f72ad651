import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { follow, seen } from './trace.ts';

const [, , root = '', value = ''] = process.argv;
const SRC = '../../tools/executors/src';
const { server } = await import('./outside.ts');
const { inferProjects } = await import(`${SRC}/plugin/infer.ts`);
const { beforeTasks } = await import(`${SRC}/plugin/hooks.ts`);
const { convergeBatch } = await import(`${SRC}/executors/entries.ts`);

const write = (maxmemory: string) =>
  writeFileSync(
    join(root, 'infra/redis/container.json'),
    JSON.stringify({
      ...{ description: 'redis', service: 'redis' },
      settings: { password: { secret: 'REDIS_PASSWORD' }, maxmemoryPolicy: 'noeviction', maxmemory },
    }),
  );

/** What Nx does for `nx run redis:configure -c prod`: its graph, its guard, and the batch. */
async function configure(): Promise<string[]> {
  const made = await inferProjects(['infra/redis/container.json', 'infra/zfs/storage.json', 'infra/environments/prod.json'], undefined, {
    workspaceRoot: root,
  });
  const projects = Object.assign({}, ...made.map(([, { projects }]: [string, { projects: object }]) => projects));
  const named = Object.fromEntries(Object.values(projects as Record<string, { name: string }>).map((one) => [one.name, one]));
  const nodes = Object.fromEntries(Object.entries(named).map(([name, data]) => [name, { data }]));
  mkdirSync(join(root, '.nx/workspace-data'), { recursive: true });
  writeFileSync(join(root, '.nx/workspace-data/project-graph.json'), JSON.stringify({ nodes }));
  const argv = ['node', 'nx', 'run-many', '-t', 'configure', '-c', 'prod'];
  await beforeTasks(undefined, { id: 'a', workspaceRoot: root, nxJsonConfiguration: {}, argv });
  const chain = ['zfs:preflight', 'zfs:snapshot', 'redis:snapshot', 'redis:provision', 'redis:configure'];
  const tasks = Object.fromEntries(
    chain.map((id) => {
      const [project = '', target = ''] = id.split(':');
      return [id, { id, target: { project, target, configuration: 'prod' }, overrides: {}, outputs: [] }];
    }),
  );
  const taskGraph = {
    roots: [chain[0]],
    tasks,
    dependencies: Object.fromEntries(chain.map((id, i) => [id, i === 0 ? [] : [chain[i - 1]]])),
  };
  const context = {
    root,
    cwd: root,
    isVerbose: false,
    nxJsonConfiguration: {},
    taskGraph,
    projectsConfigurations: { version: 2, projects: named },
  };
  const options = Object.fromEntries(chain.map((id) => [id, { step: id.split(':')[1], environment: 'prod' }]));
  const failed: string[] = [];
  for await (const { task, result } of await convergeBatch(taskGraph, options, {}, context))
    if (!result.success) failed.push(`${task}: ${result.terminalOutput}`);
  return failed;
}

write(server.maxmemory);
const before = await configure();
write(value);
follow(value);
const failed = await configure();
process.stdout.write(`\n${JSON.stringify({ failed: [...before, ...failed], server, files: seen() })}\n`);
process.exit(0);
