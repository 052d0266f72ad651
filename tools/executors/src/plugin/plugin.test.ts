import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { assertNode } from '../engine/node.ts';
import { newRunId, RUN_ID } from '../engine/run-id.ts';
import { TOOL } from '../engine/version.ts';
import { createNodes } from '../plugin.ts';
import { services, WITH_ARTIFACTS } from '../services/index.ts';
import { assertFresh } from './fresh.ts';
import { afterTasks, beforeTasks } from './hooks.ts';
import { inferProjects } from './infer.ts';
import { hashSources } from './source-hash.ts';

const folders: string[] = [];
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true });
  vi.unstubAllEnvs();
});

function folder(files: Record<string, unknown>): string {
  const root = mkdtempSync(join(tmpdir(), 'mooring-plugin-'));
  folders.push(root);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

const container = { description: 'Sessions', service: 'redis', settings: {} };
const good = {
  'infra/environments/local.json': {},
  'infra/environments/prod.json': {},
  'infra/zfs/storage.json': { description: 'Storage' },
  'infra/redis/container.json': container,
};

describe('inference', () => {
  const infer = (files: Record<string, unknown>, options = {}) =>
    inferProjects(Object.keys(files), options, { workspaceRoot: folder(files), nxJsonConfiguration: {} });

  it('makes a project of each file, and environments of theirs', async () => {
    const nodes = await infer({
      ...good,
      'infra/cache/container.json': { ...container, name: 'sessions' },
      'other/x/container.json': 'not ours',
    });
    expect(
      nodes.map(([file, { projects = {} }]) => [
        file,
        ...Object.entries(projects).map(([root, { name, implicitDependencies }]) => [root, name, implicitDependencies]),
      ]),
    ).toEqual([
      ['infra/zfs/storage.json', ['infra/zfs', 'zfs', []]],
      ['infra/cache/container.json', ['infra/cache', 'sessions', ['zfs']]],
      ['infra/redis/container.json', ['infra/redis', 'redis', ['zfs']]],
    ]);
    expect(Object.keys(nodes[2]?.[1].projects?.['infra/redis']?.targets?.configure?.configurations ?? {})).toEqual(['local', 'prod']);
  });

  it('makes projects of applications, with or without a data tier', async () => {
    const app = { description: 'Notes', kind: 'python', needs: ['redis'] };
    const { 'infra/zfs/storage.json': _, 'infra/redis/container.json': __, ...environments } = good;
    const nodes = await infer({ ...environments, 'infra/apps/pote/app.json': app });
    expect(nodes.map(([file, { projects = {} }]) => [file, ...Object.values(projects).map(({ name }) => name)])).toEqual([
      ['infra/apps/pote/app.json', 'pote'],
    ]);
    const both = await infer({ ...good, 'infra/apps/pote/app.json': { ...app, name: 'notes' } });
    expect(both.at(-1)?.[1].projects?.['infra/apps/pote']).toMatchObject({ name: 'notes', implicitDependencies: ['redis'] });
  });

  it('follows the option of nx.json, and makes nothing where there is nothing', async () => {
    const moved = Object.fromEntries(Object.entries(good).map(([file, content]) => [file.replace('infra', 'ops'), content]));
    expect(await infer(moved)).toEqual([]);
    expect(await infer(moved, { infra: 'ops' })).toHaveLength(2);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a file that is no JSON', { 'infra/redis/container.json': '{ "service": "redis", }' }],
    ['a name that is no text', { 'infra/redis/container.json': { ...container, name: 5 } }],
    ['a name that is empty', { 'infra/redis/container.json': { ...container, name: '' } }],
    ['a file of another version', { 'infra/redis/container.json': { ...container, name: 'cache', version: 2 } }],
    [
      'a service that cannot be loaded',
      { 'infra/redis/container.json': { ...container, service: './service.ts' }, 'infra/redis/service.ts': 'syntax error' },
    ],
  ])('has a project for %s as well: the verbs tell what is wrong, and the rest of the workspace builds', async (_, files) => {
    const nodes = await infer({ ...good, ...files });
    expect(nodes.flatMap(([, { projects = {} }]) => Object.values(projects).map(({ name }) => name))).toEqual(['zfs', 'redis']);
  });

  it('has a project without an edge where there is no storage.json', async () => {
    const { 'infra/zfs/storage.json': _, ...files } = good;
    const [[, { projects = {} }] = ['', {}]] = await infer(files);
    expect(projects['infra/redis']).toMatchObject({ name: 'redis', implicitDependencies: [] });
    expect(projects['infra/redis']?.targets?.snapshot?.dependsOn).toBeUndefined();
  });

  it('is asked for environments too: a new one must reach the graph', () => {
    expect(createNodes[0]).toBe('**/{container.json,storage.json,app.json,environments/*.json}');
  });
});

it('knows which services declare artifacts', async () => {
  const loaded = await Promise.all(Object.entries(services).map(async ([name, load]) => [name, await load()] as const));
  expect([...WITH_ARTIFACTS]).toEqual(loaded.filter(([, { artifacts }]) => artifacts !== undefined).map(([name]) => name));
});

describe('an older Node', () => {
  it.each(['18.20.0', '20.20.2', '22.17.9'])('%s is refused in a plain sentence', (version) => {
    expect(() => assertNode(version)).toThrow(`nx-mooring needs Node 22.18 or newer; this is Node ${version}.`);
  });
  it('is told how nx works again, which is not the same everywhere', () => {
    const stranger = folder({});
    const out = 'where there is none, take "nx-mooring/plugin" out of "plugins" in nx.json';
    expect(() => assertNode('20.20.2', stranger)).toThrow(out);
    // A Node that came with the packages, unless it is the one that is too old.
    mkdirSync(join(stranger, 'node_modules/.bin'), { recursive: true });
    mkdirSync(join(stranger, 'packages/a'), { recursive: true });
    symlinkSync(process.execPath, join(stranger, 'node_modules/.bin/node'));
    expect(() => assertNode('20.20.2', join(stranger, 'packages/a'))).toThrow(out);
    rmSync(join(stranger, 'node_modules/.bin/node'));
    writeFileSync(join(stranger, 'node_modules/.bin/node'), '');
    expect(() => assertNode('20.20.2', join(stranger, 'packages/a'))).toThrow('node_modules/.bin/node: start nx with npx or an npm script');
  });
  it.each(['22.18.0', '23.0.0', '24.21.0', '26.0.0'])('%s is taken', (version) => expect(() => assertNode(version)).not.toThrow());
});

describe('a stale build', () => {
  const files = {
    'package.json': { version: '1.2.3' },
    'src/plugin.ts': 'a',
    'src/x/y.ts': 'b',
    'src/x/y.test.ts': 'c',
    'src/x/schema.json': '{}',
  };

  it('is one whose sources have changed since; tests and generated files are no sources', () => {
    const root = folder(files);
    const hash = hashSources(root);
    assertFresh(root, hash);
    writeFileSync(join(root, 'src/x/y.test.ts'), 'changed');
    writeFileSync(join(root, 'src/x/schema.json'), '{ }');
    assertFresh(root, hash);
    writeFileSync(join(root, 'src/x/y.ts'), 'changed');
    expect(() => assertFresh(root, hash)).toThrow("the plugin's build is older than its sources: npm run build");
    expect(() => assertFresh(root, undefined)).toThrow('npm run build');
  });

  it.each([
    ['a new file', 'src/z.ts', ''],
    ['a moved line', 'src/x/y.ts', 'b\n'],
    ['another version', 'package.json', '{"version":"1.2.4"}'],
  ])('%s makes it stale', (_, file, content) => {
    const root = folder(files);
    const hash = hashSources(root);
    writeFileSync(join(root, file), content);
    expect(hashSources(root)).not.toBe(hash);
  });

  it('that the daemon still has loaded is told apart', () => {
    const root = folder(files);
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist/.source-hash'), `${hashSources(root)}\n`);
    expect(() => assertFresh(root, 'older')).toThrow('the Nx daemon has an older build of nx-mooring loaded: npx nx reset');
  });

  it('is not looked for where the sources are not there', () => {
    const root = folder(files);
    rmSync(join(root, 'src/plugin.ts'));
    assertFresh(root, 'anything');
  });
});

describe('the run id', () => {
  it('is a time and 48 random bits', () => {
    expect(newRunId(new Date('2026-01-31T23:59:59.987Z'), new Uint8Array([15, 30, 45, 60, 75, 90]))).toBe('20260131T235959-0f1e2d3c4b5a');
  });

  const run = async (root: string, id: string) => {
    await beforeTasks(undefined, {
      id,
      workspaceRoot: root,
      nxJsonConfiguration: {},
      argv: ['node', 'nx', 'run', 'redis:configure', '-c', 'prod'],
    });
    return process.env[RUN_ID];
  };

  it('is new for every command of a long-lived plugin process, and that of an outer run where there is one', async () => {
    vi.stubEnv(RUN_ID, undefined);
    const root = folder(good);
    const first = await run(root, '1');
    expect(first).toMatch(/^\d{8}T\d{6}-[0-9a-f]{12}$/);
    expect(await run(root, '2')).not.toBe(first);
    process.env[RUN_ID] = 'outer';
    expect(await run(root, '3')).toBe('outer');
  });
});

describe('after the tasks', () => {
  const finished = (statuses: Record<string, string>) =>
    afterTasks(undefined, {
      id: 'x',
      workspaceRoot: folder(good),
      nxJsonConfiguration: {},
      argv: [],
      startTime: 0,
      endTime: 0,
      taskResults: Object.fromEntries(
        Object.entries(statuses).map(([id, status]) => [
          id,
          {
            task: { id, target: { project: id.split(':')[0], target: id.split(':')[1] }, projectRoot: `infra/${id.split(':')[0]}` },
            status,
          },
        ]),
      ) as never,
    });

  it('a failed step makes exit code 1 of what nx takes for an interruption', async () => {
    await expect(finished({ 'zfs:preflight:local': 'success', 'zfs:snapshot:local': 'failure' })).rejects.toThrow(
      'failed: zfs:snapshot:local',
    );
  });

  it.each([
    ['success', { 'redis:configure:local': 'success' }],
    ['a failure of others', { 'web:build': 'failure' }],
    ['a real interruption', { 'zfs:preflight:local': 'failure', 'zfs:snapshot:local': 'stopped' }],
  ])('%s stays as it is', async (_, statuses) => {
    await expect(finished(statuses)).resolves.toBeUndefined();
  });
});

it('the version in marks and reports is that of the package', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  expect(TOOL).toBe(`nx-mooring ${manifest.version}`);
});
