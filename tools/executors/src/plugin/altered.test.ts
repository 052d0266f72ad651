import type { TargetConfiguration } from '@nx/devkit';
import { describe, expect, it } from 'vitest';
import { showError } from '../engine/errors.ts';
import { alterations, refuseAltered, type SourceMaps } from './altered.ts';
import { parseCommandLine } from './command-line.ts';
import { type Nodes, reachable } from './reachable.ts';
import { appProject, containerProject, hostTargets, storageProject } from './targets.ts';

const shared = { description: 'x', environments: ['prod', 'local'], environmentFolder: 'infra/environments', implicitDependencies: [] };
const container = (name: string) =>
  containerProject({ ...shared, name, root: `infra/${name}`, service: name, storage: 'zfs', hasArtifacts: name === 'minio' });
const made = [
  storageProject({ ...shared, name: 'zfs', root: 'infra/zfs' }),
  container('redis'),
  container('minio'),
  appProject({ ...shared, name: 'notes', root: 'infra/apps/notes', kind: 'node', needs: ['redis'], storage: 'zfs' }),
];
/** Another project of the workspace, with targets of the same names. */
const shop = {
  root: 'shop',
  targets: {
    provision: {},
    verify: { cache: true },
    build: {},
    test: { dependsOn: ['build', '^build'] },
    e2e: { dependsOn: ['redis:verify'] },
  },
};

/** The graph as nx makes it, with one target changed. */
function graph(changes: Record<string, TargetConfiguration | undefined> = {}): Nodes {
  const nodes = [...made, { name: 'shop', ...shop }].map(({ name, root, targets = {} }) => {
    const all = Object.entries(targets as Record<string, TargetConfiguration>).map(([target, one]) => [
      target,
      { options: {}, configurations: {}, parallelism: true, ...one, ...changes[`${name}:${target}`] },
    ]);
    return [name, { data: { root, targets: Object.fromEntries(all) } }];
  });
  return JSON.parse(JSON.stringify(Object.fromEntries(nodes)));
}

function verdict(line: string, nodes: Nodes, sources: SourceMaps = {}): string {
  const command = parseCommandLine(line.split(' '));
  if (command === undefined) return 'runs nothing';
  try {
    refuseAltered(alterations(made, nodes, reachable(command, nodes), hostTargets({ apps: true })), () => sources);
    return 'goes on';
  } catch (error) {
    return showError(error);
  }
}

describe('verify whose answer would come from the cache', () => {
  const cached = graph({ 'redis:verify': { cache: true } });
  it.each([
    'run redis:verify -c prod',
    'run redis:verify:prod',
    'verify redis -c prod',
    'verify -c prod',
    'run-many -t verify -c prod',
    'run-many -t build verify -c prod',
    'run-many -t verify -p tag:mooring -c prod',
    'run-many -t ver* -c prod',
    'affected -t verify -c prod',
    'run shop:e2e -c prod',
  ])('%s is refused', (line) => expect(verdict(line, cached)).toContain('redis:verify: cache is changed by'));

  it.each(['run redis:plan -c prod', 'run minio:verify -c prod', 'run shop:verify', 'run-many -t build test', 'show projects'])(
    '%s has nothing to do with it',
    (line) => expect(verdict(line, cached)).toMatch(/^(?:goes on|runs nothing)$/),
  );
});

it.each<[string, string, TargetConfiguration, string]>([
  ['run redis:configure -c prod', 'redis:provision', { cache: true }, 'redis:provision: cache'],
  ['run notes:deploy -c prod', 'zfs:preflight', { cache: true }, 'zfs:preflight: cache'],
  ['run-many -t configure -c prod', 'zfs:snapshot', { dependsOn: [] }, 'zfs:snapshot: dependsOn'],
  ['configure redis -c prod', 'redis:configure', { dependsOn: ['^build'] }, 'redis:configure: dependsOn'],
  ['run redis:plan -c prod', 'redis:plan', { dependsOn: ['configure'] }, 'redis:plan: dependsOn'],
  ['run redis:plan -c prod', 'redis:plan', { dependsOn: [{ projects: ['minio'], target: 'configure' }] }, 'redis:plan: dependsOn'],
  ['run redis:plan -c prod', 'redis:plan', { dependsOn: ['minio:configure'] }, 'redis:plan: dependsOn'],
  ['run redis:plan -c prod', 'redis:plan', { dependsOn: ['^configure'] }, 'redis:plan: dependsOn'],
  ['run redis:plan -c prod', 'redis:plan', { dependsOn: [{ projects: ['tag:x'], target: 'configure' }] }, 'redis:plan: dependsOn'],
  ['run redis:plan -c prod', 'redis:plan', { executor: 'nx:run-commands' }, 'redis:plan: executor'],
  ['run redis:plan -c prod', 'redis:plan', { options: { failOnChanges: true } }, 'redis:plan: options'],
  ['run redis:plan -c prod', 'redis:plan', { defaultConfiguration: 'prod' }, 'redis:plan: defaultConfiguration'],
  ['run redis:plan -c prod', 'redis:plan', { parallelism: false }, 'redis:plan: parallelism'],
  ['run redis:plan -c prod', 'redis:plan', { continuous: true }, 'redis:plan: continuous'],
  ['run redis:plan -c prod', 'redis:plan', { configurations: { prod: { environment: 'local' } } }, 'redis:plan: configurations'],
  ['run redis:plan -c prod', 'redis:plan', { configurations: { staging: { environment: 'prod' } } }, 'redis:plan: configurations'],
  ['affected -t plan -c prod', 'redis:plan', { inputs: ['default'] }, 'redis:plan: inputs'],
  ['run minio:artifact', 'minio:artifact', { outputs: [] }, 'minio:artifact: outputs'],
])('%s is refused where %s is %j', (line, task, change, says) => {
  expect(verdict(line, graph({ [task]: change }))).toContain(`${says} is changed by`);
});

it.each<[string, TargetConfiguration]>([
  ['a description', { metadata: { description: 'ours' } }],
  [
    'what is built before',
    { dependsOn: [{ target: 'provision', params: 'forward' }, 'build', '^build', { projects: 'shop', target: 'test' }] },
  ],
  [
    'a target of somebody else, whatever its name',
    {
      dependsOn: [{ target: 'provision', params: 'forward' }, 'shop:provision', { projects: ['shop'], target: 'verify' }],
    },
  ],
  ['more inputs', { inputs: [...(made[1]?.targets?.configure?.inputs ?? []), '{workspaceRoot}/x'] }],
  ['an environment that git ignores', { configurations: { prod: { environment: 'prod' } } }],
])('%s may be added', (_, change) => expect(verdict('run redis:configure -c prod', graph({ 'redis:configure': change }))).toBe('goes on'));

it('a project that another file renames is refused: its verbs would know it by no name', () => {
  const { redis, ...others } = graph();
  expect(verdict('run cache:plan -c prod', { ...others, cache: redis } as Nodes)).toContain('cache: name is changed by another file');
});

it('an edge whose project nx has lost, for its project.json repeats no name, is told as that', () => {
  const lost = {
    dependsOn: [{ projects: [{ value: 'infra/zfs' }], target: 'snapshot', params: 'forward' }],
  } as unknown as TargetConfiguration;
  const said = verdict('run redis:configure -c prod', graph({ 'redis:snapshot': lost }));
  expect(said).toContain('redis:snapshot: dependsOn is changed by a file in infra/zfs that adds to the project without its "name"');
  expect(said).toContain('next:    write the project\'s "name" into infra/zfs/project.json');
});

it('tells by what it was changed, once for all tasks, and the way out', () => {
  const nodes = graph({ 'redis:verify': { cache: true }, 'minio:verify': { cache: true, options: { x: 1 } } });
  const source = ['nx.json#targetDefaults.verify', 'nx/target-defaults'] as const;
  const own = ['infra/minio/container.json', 'nx-mooring/plugin'] as const;
  const sources: SourceMaps = {
    'infra/redis': { 'targets.verify': own, 'targets.verify.cache': source },
    'infra/minio': {
      'targets.verify.cache': source,
      'targets.verify.options': own,
      'targets.verify.options.x': ['infra/minio/project.json', 'nx/core/project-json'],
    },
  };
  expect(verdict('run-many -t verify -c prod', nodes, sources)).toBe(
    [
      'nx would run modified nx-mooring targets: redis:verify, minio:verify: cache is changed by targetDefaults.verify in nx.json; minio:verify: options is changed by infra/minio/project.json',
      '  next:    limit that default to other projects: "<target>": [{"filter": {"projects": ["!tag:mooring"]}, …}]; or for the targets of one plugin: {"filter": {"plugin": "<plugin>"}, …}',
      '  more:    docs/errors.md#before-a-host-is-asked',
    ].join('\n'),
  );
});

it('looks at each target once, however many projects have the same edges', () => {
  let looks = 0;
  const target = {
    get dependsOn() {
      looks++;
      return ['^build', 'build', '^test', { target: 'build', dependencies: true }];
    },
  };
  const count = 2000;
  const names = Array.from({ length: count }, (_, i) => `lib${i}`);
  const nodes: Nodes = Object.fromEntries(names.map((root) => [root, { data: { root, targets: { build: target, test: target } } }]));
  const command = parseCommandLine(['run-many', '-t', 'test', 'build']);
  expect(command && reachable(command, nodes).size).toBe(2 * count);
  expect(looks).toBe(2 * count);
});
