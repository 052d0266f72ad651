import { describe, expect, it } from 'vitest';
import { environment, good, ownService, redis } from '../../../../test/container-files.ts';
import { workspaceFolders } from '../../../../test/workspace-folders.ts';
import { showError } from '../engine/errors.ts';
import { worldOf } from '../world/index.ts';

const workspace = workspaceFolders(good);

/** What is told of a workspace of these files. */
const problems = (files: Record<string, unknown>) => told(workspace(files));
const told = (root: string) =>
  worldOf(root)
    .files.load()
    .then(() => 'no problem', showError);

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
    const root = workspace(files);
    expect((await told(root)).replaceAll(root, '<root>')).toMatchSnapshot();
  });
});
