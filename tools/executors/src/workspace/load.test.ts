import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { showError } from '../engine/errors.ts';
import { worldOf } from '../world/index.ts';
import { hasContainers } from './environment.ts';
import { containersOf, environmentOf } from './load.ts';
import { resolveContainer } from './target.ts';

const loadWorkspace = (root: string) => worldOf(root).files.load();
const loadToLook = (root: string) => worldOf(root).files.look();

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const environment = {
  host: 'local',
  incus: { project: 'default', profiles: ['veza-data'], image: 'debian/12' },
  prefix: 'veza-local-',
  network: 'veza-net0',
  retention: 5,
};
const redis = {
  description: 'Sessions',
  service: 'redis',
  settings: { password: { secret: 'REDIS_PASSWORD' }, maxmemoryPolicy: 'noeviction' },
};
const ownService = `import { z } from ${JSON.stringify(import.meta.resolve('zod'))};
type Settings = { bucket: string };
const valkey = {
  name: 'valkey', unit: 'valkey', stages: [],
  settings: z.strictObject({ bucket: z.string().regex(/^[a-z-]+$/, 'expected lower-case letters and hyphens').meta({ examples: ['uploads'] }) }) as z.ZodType<Settings>,
  health: { inside() { throw new Error(); }, async outside() { throw new Error(); } },
};
export default valkey;
`;

const good: Record<string, unknown> = {
  'nx.json': { plugins: [{ plugin: 'nx-mooring/plugin', options: { infra: 'infra' } }] },
  'infra/environments/local.json': environment,
  'infra/environments/staging.json': { ...environment, host: 'veza-staging', prefix: 'veza-staging-' },
  'infra/zfs/storage.json': { description: 'Storage' },
  'infra/redis/container.json': redis,
};

/** A workspace of these files over the good ones; a text is written as it is, undefined takes a file away. */
function workspace(files: Record<string, unknown> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'mooring "wörkspace" '));
  folders.push(root);
  for (const [file, content] of Object.entries({ ...good, ...files })) {
    if (content === undefined) continue;
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

async function problems(files: Record<string, unknown>): Promise<string> {
  try {
    await loadWorkspace(workspace(files));
    return 'no problem';
  } catch (error) {
    return showError(error);
  }
}

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

describe('what is wrong is told all at once', () => {
  it('in every file', async () => {
    const { host: _, ...noHost } = environment;
    expect(
      await problems({
        'infra/environments/local.json': {
          ...noHost,
          retension: 3,
          retention: '5',
          clients: ['10.0.0.0/8', 'everybody', '0.0.0.0/0'],
          sshConfig: '../x',
        },
        'infra/environments/prod.json': '{ "host": ',
        'infra/redis/container.json': { ...redis, settings: { ...redis.settings, maxmemory: 5, passwort: 'hunter2' } },
        'infra/postgres/container.json': { description: 'x', service: 'reddis', settings: {} },
      }),
    ).toMatchInlineSnapshot(`
      "the workspace's files are not valid: 10 problems
      1. infra/environments/local.json: host: found nothing; expected "local" or a host alias of the SSH configuration
           next:    for example "host":"local"
      2. infra/environments/local.json: sshConfig: found "../x" (string); expected a path inside the workspace, relative to its root
           next:    for example "sshConfig":".lab/ssh_config"
      3. infra/environments/local.json: clients[1]: found "everybody" (string); expected a network in CIDR notation
           next:    for example "10.20.0.0/24"
      4. infra/environments/local.json: clients[2]: found "0.0.0.0/0" (string); a network of length 0 is the whole world
           next:    for example "10.20.0.0/24"
      5. infra/environments/local.json: retention: found "5" (string); expected a whole number, 1 or more
           next:    for example "retention":5
      6. infra/environments/local.json: retension: unknown field; did you mean retention?
      7. infra/environments/prod.json: not valid JSON: Unexpected end of JSON input
           next:    fix the file there; JSON has no comments and no comma after the last field
      8. infra/postgres/container.json: service: there is no service "reddis"; did you mean redis?
           next:    or write one of your own: "service": "./service.ts"
      9. infra/redis/container.json: settings.maxmemory: found 5 (number); expected a size such as 256mb: bytes, or a number with k, kb, m, mb, g or gb, in small or capital letters
      10. infra/redis/container.json: settings.passwort: unknown field; did you mean password?
        more:    docs/errors.md#release-and-files"
    `);
  });

  it('in settings, without showing what may be a password', async () => {
    const text = await problems({
      'infra/redis/container.json': {
        ...redis,
        settings: { password: 'hunter2', maxmemoryPolicy: 'lru', parameters: { 'bind source': '1' } },
      },
    });
    expect(text).toMatchInlineSnapshot(`
      "the workspace's files are not valid: 3 problems
      1. infra/redis/container.json: settings.password: found a string; expected a secret reference such as {"secret": "REDIS_PASSWORD"}; a value in clear is not taken
      2. infra/redis/container.json: settings.maxmemoryPolicy: found "lru" (string); expected "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random" or "volatile-ttl"
      3. infra/redis/container.json: settings.parameters.bind source: its name is not allowed: expected a redis.conf parameter in small letters, such as timeout
        more:    docs/errors.md#release-and-files"
    `);
    expect(text).not.toContain('hunter2');
  });

  it('with an identifier that is none, and an example', async () => {
    const own = { description: 'Cache', service: './service.ts', settings: { bucket: 'veza; drop' } };
    expect(await problems({ 'infra/cache/container.json': own, 'infra/cache/service.ts': ownService })).toMatchInlineSnapshot(`
      "infra/cache/container.json: settings.bucket: found "veza; drop" (string); expected lower-case letters and hyphens
        next:    for example "bucket":"uploads"
        more:    docs/errors.md#release-and-files"
    `);
  });

  it('in what only one environment overrides', async () => {
    expect(
      await problems({
        'infra/environments/staging.json': {
          ...environment,
          prefix: 'veza-staging-',
          containers: { redis: { settings: { maxmemory: 'much' } }, reddis: {} },
        },
      }),
    ).toMatchInlineSnapshot(`
      "the workspace's files are not valid: 2 problems
      1. infra/environments/staging.json: containers.reddis: there is no such container; did you mean redis?
      2. infra/redis/container.json (with staging.json): settings.maxmemory: found "much" (string); expected a size such as 256mb: bytes, or a number with k, kb, m, mb, g or gb, in small or capital letters
        more:    docs/errors.md#release-and-files"
    `);
  });

  it.each<[string, Record<string, unknown>]>([
    ['two environments that share an instance', { 'infra/environments/staging.json': environment }],
    ['a name that is too long', { 'infra/environments/local.json': { ...environment, prefix: `v${'e'.repeat(58)}-` } }],
    ['a folder that is no name', { 'infra/Redis Cache/container.json': redis }],
    ['two projects of one name', { 'infra/other/container.json': { ...redis, name: 'redis' } }],
    ['an environment that is not there', { 'infra/redis/container.json': { ...redis, environments: ['stagign'] } }],
    ['an environment name that is none', { 'infra/environments/Prod 1.json': environment }],
    ['no storage project', { 'infra/zfs/storage.json': undefined }],
    ['two storage projects', { 'infra/zfs2/storage.json': { description: 'x' } }],
    ['no environments', { 'infra/environments/local.json': undefined, 'infra/environments/staging.json': undefined }],
    ['a service file that is not there', { 'infra/redis/container.json': { ...redis, service: './service.ts' } }],
    ['a service file outside the folder', { 'infra/redis/container.json': { ...redis, service: './../x/service.ts' } }],
    [
      'a service file that exports none',
      { 'infra/redis/container.json': { ...redis, service: './service.ts' }, 'infra/redis/service.ts': 'export const x = 1;' },
    ],
    ['a device without a type', { 'infra/redis/container.json': { ...redis, devices: { data: { path: '/data' } } } }],
    ['a host that would be an option of ssh', { 'infra/environments/local.json': { ...environment, host: '-oProxyCommand=x' } }],
  ])('%s', async (_, files) => {
    const text = (await problems(files)).replaceAll(folders.at(-1) ?? '', '<root>');
    expect(text).toMatchSnapshot();
  });
});

it('names the environments that there are', async () => {
  const loaded = await loadWorkspace(workspace());
  expect(() => environmentOf(loaded, 'stagign')).toThrow(
    'There is no environment "stagign". Known environments: local, staging. Did you mean staging?',
  );
  expect(() => environmentOf(loaded, 'constructor')).toThrow('There is no environment "constructor"');
});
