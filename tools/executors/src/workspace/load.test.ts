import { describe, expect, it } from 'vitest';
import { environment, good, ownService, redis } from '../../../../test/container-files.ts';
import { workspaceFolders } from '../../../../test/workspace-folders.ts';
import { worldOf } from '../world/index.ts';
import { hasContainers } from './environment.ts';
import { containersOf, environmentOf } from './load.ts';
import { resolveContainer } from './target.ts';

const loadWorkspace = (root: string) => worldOf(root).files.load();
const loadToLook = (root: string) => worldOf(root).files.look();
const workspace = workspaceFolders(good);

describe('a good workspace', () => {
  it('gives environments with their defaults, containers with their services, the storage project', async () => {
    const loaded = await loadWorkspace(workspace());
    expect([...loaded.environments.keys()]).toEqual(['local', 'staging']);
    expect(environmentOf(loaded, 'local')).toMatchObject({
      name: 'local',
      clients: [],
      allowNoRestorePoint: false,
      poolUsedPercentMax: 90,
      containers: {},
    });
    expect(loaded.containers.map(({ project, root, service }) => [project, root, service.name])).toEqual([
      ['redis', 'infra/redis', 'redis'],
    ]);
    expect(loaded.storage).toEqual({ project: 'zfs', root: 'infra/zfs', description: 'Storage' });
  });

  it('resolves a container: prefix, host, overrides, the environment name in texts; secrets stay references', async () => {
    const root = workspace({
      'infra/environments/staging.json': {
        ...environment,
        host: 'veza-staging',
        prefix: 'veza-staging-',
        containers: { redis: { host: 'other', settings: { maxmemory: '1gb', parameters: { timeout: '5' } }, limits: { memory: '2GiB' } } },
      },
      'infra/redis/container.json': {
        ...redis,
        limits: { cpu: 2, memory: '1GiB' },
        devices: { data: { type: 'disk', source: '/srv/${environment}', path: '/data' } },
        settings: { ...redis.settings, parameters: { 'syslog-ident': 'redis-${environment}', databases: '${NUMBER}' } },
      },
    });
    const { environment: _, service, ...target } = containersOf(await loadWorkspace(root), 'staging')[0] ?? expect.fail();
    expect(service.name).toBe('redis');
    expect(target).toEqual({
      project: 'redis',
      root: 'infra/redis',
      description: 'Sessions',
      instance: 'veza-staging-redis',
      host: 'other',
      incus: environment.incus,
      limits: { cpu: '2', memory: '2GiB' },
      devices: { data: { type: 'disk', source: '/srv/staging', path: '/data' } },
      settings: {
        password: { secret: 'REDIS_PASSWORD' },
        maxmemoryPolicy: 'noeviction',
        maxmemory: '1gb',
        parameters: { 'syslog-ident': 'redis-staging', databases: '${NUMBER}', timeout: '5' },
      },
    });
  });

  it('takes a service of its own, and leaves out what is limited to other environments', async () => {
    const own = {
      description: 'Cache',
      name: 'cache',
      service: './service.ts',
      environments: ['staging'],
      settings: { bucket: 'veza-${environment}' },
    };
    const loaded = await loadWorkspace(workspace({ 'infra/deep/er/container.json': own, 'infra/deep/er/service.ts': ownService }));
    expect(containersOf(loaded, 'local').map(({ instance }) => instance)).toEqual(['veza-local-redis']);
    expect(containersOf(loaded, 'staging').map(({ instance, settings }) => [instance, settings])).toEqual([
      ['veza-staging-cache', { bucket: 'veza-staging' }],
      ['veza-staging-redis', redis.settings],
    ]);
    const staging = environmentOf(loaded, 'staging');
    if (!hasContainers(staging)) return expect.fail();
    expect(resolveContainer(loaded.containers[0] ?? expect.fail(), staging).service.name).toBe('valkey');
  });

  it('is found where nx.json says', async () => {
    const moved = Object.fromEntries(Object.entries(good).map(([file, content]) => [file.replace(/^infra/, 'ops/data'), content]));
    const root = workspace({
      ...Object.fromEntries(Object.keys(good).map((file) => [file, undefined])),
      ...moved,
      'nx.json': { plugins: ['other', { plugin: 'nx-mooring/plugin', options: { infra: 'ops/data' } }] },
    });
    expect((await loadWorkspace(root)).containers.map((container) => container.root)).toEqual(['ops/data/redis']);
  });
});

describe('for who only looks, a container with a mistake of its own is told beside the others', () => {
  const minio = { ...redis, description: 'Uploads', name: 'uploads' };
  const override = (name: string, settings: object) => ({
    [`infra/environments/${name}.json`]: { ...environment, prefix: `veza-${name}-`, containers: { uploads: { settings } } },
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no JSON', { 'infra/uploads/container.json': '{' }, 'not valid JSON'],
    ['an unknown field', { 'infra/uploads/container.json': { ...minio, settngs: {} } }, 'settngs: unknown field'],
    ['an unknown service', { 'infra/uploads/container.json': { ...minio, service: 'rediss' } }, 'rediss'],
    ['a file of another version', { 'infra/uploads/container.json': { ...minio, version: 2 } }, 'version'],
    ['an unknown environment', { 'infra/uploads/container.json': { ...minio, environments: ['qa'] } }, 'environments'],
    ['a wrong setting', { 'infra/uploads/container.json': { ...minio, settings: { ...minio.settings, port: 'x' } } }, 'settings.port'],
    ['what an environment overrides', override('staging', { maxmemory: 'much' }), '(with staging.json): settings.maxmemory'],
    [
      'no JSON, and an environment that overrides what is in it',
      { 'infra/uploads/container.json': '', ...override('local', {}) },
      'not valid JSON',
    ],
    ['a service of its own that cannot be loaded', { 'infra/uploads/container.json': { ...minio, service: './service.ts' } }, 'service.ts'],
  ])('%s', async (_, files, told) => {
    const root = workspace({ 'infra/uploads/container.json': minio, ...files });
    const { containers, faulty } = await loadToLook(root);
    expect(containers.map(({ project }) => project)).toEqual(['redis']);
    expect(faulty.map(({ project }) => project)).toEqual(['uploads']);
    expect(faulty[0]?.problems.map(({ message }) => message)).toEqual([expect.stringContaining(told)]);
    await expect(loadWorkspace(root)).rejects.toThrow(told);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['of an environment', { 'infra/environments/local.json': { ...environment, netwrk: 'x' } }, 'netwrk'],
    ['in what it overrides of no container', { 'infra/environments/local.json': { ...environment, containers: { reddis: {} } } }, 'reddis'],
    ['of two containers of one name', { 'infra/other/container.json': { ...redis, name: 'redis' } }, 'two projects'],
    ['of the storage host', { 'infra/zfs/storage.json': {} }, 'storage.json'],
    ['of two environments that share an instance', { 'infra/environments/staging.json': environment }, 'would share the instance'],
  ])('but not one %s', async (_, files, told) => {
    await expect(loadToLook(workspace({ 'infra/uploads/container.json': '{', ...files }))).rejects.toThrow(
      expect.objectContaining({ problems: expect.arrayContaining([expect.objectContaining({ message: expect.stringContaining(told) })]) }),
    );
  });
});

it('names the environments that there are', async () => {
  const loaded = await loadWorkspace(workspace());
  expect(() => environmentOf(loaded, 'stagign')).toThrow(
    'There is no environment "stagign". Known environments: local, staging. Did you mean staging?',
  );
  expect(() => environmentOf(loaded, 'constructor')).toThrow('There is no environment "constructor"');
});
