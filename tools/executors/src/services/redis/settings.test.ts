import { describe, expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { desiredParameters } from './conf.ts';
import { type RedisSettings, settings } from './settings.ts';
import { COMMANDS } from './words.ts';

const given = { password: new Secret('pencil'), maxmemoryPolicy: 'noeviction' };
const parse = (parameters: unknown) => {
  const issue = settings.safeParse({ ...given, parameters }).error?.issues[0];
  return issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message;
};

describe('maxmemory', () => {
  it.each([
    ['512MB', 512 * 2 ** 20],
    ['1Gb', 2 ** 30],
    ['1k', 1000],
    ['268435456', 2 ** 28],
    ['0', 0],
  ])('%s is as many bytes as for Redis', (maxmemory, bytes) => {
    const parsed = settings.parse({ ...given, maxmemory }) as RedisSettings;
    expect(desiredParameters(parsed).find(([name]) => name === 'maxmemory')?.[1]).toEqual([String(bytes)]);
  });

  it.each(['512 MB', '1tb', '1.5gb', '-1', '99999999999gb', ''])('%j is none, and what is one is said', (maxmemory) => {
    expect(settings.safeParse({ ...given, maxmemory }).error?.issues[0]?.message).toContain('expected a size such as 256mb');
  });
});

describe('parameters', () => {
  it.each(COMMANDS)('do not rename %s, which nx-mooring sends', (command) => {
    expect(parse({ 'rename-command': `${command.toLowerCase()} ""` })).toBe(
      `nx-mooring sends ${command} itself: it cannot have another name`,
    );
    expect(parse({ 'rename-command': ['KEYS ""', `"${command}" other`] })).toContain(`nx-mooring sends ${command} itself`);
  });

  it.each([
    [{ include: '/etc/redis/other.conf' }, 'this parameter is not taken: what another file says'],
    [{ loadmodule: '/tmp/x.so' }, 'it loads code'],
    [{ replicaof: '10.0.0.1 6379' }, 'the data would be replaced'],
    [{ slaveof: '10.0.0.1 6379' }, 'the data would be replaced'],
    [{ daemonize: 'yes' }, "the unit of Debian's package"],
    [{ supervised: 'systemd' }, "the unit of Debian's package"],
    [{ user: ['app on', 'default off'] }, 'the user "default" is the one'],
    [{ requirepass: 'x' }, 'use the setting "password" instead'],
    [{ maxmemory: '1mb' }, 'use the setting "maxmemory" instead'],
    [{ 'maxmemory-policy': 'noeviction' }, 'use the setting "maxmemoryPolicy" instead'],
    [{ port: 6380 }, 'use the setting "port" instead'],
    [{ bind: '::' }, 'nx-mooring writes this parameter itself'],
    [{ pidfile: '/tmp/x' }, 'nx-mooring writes this parameter itself'],
    [{ maxclients: 1 }, 'expected 3 or more: nx-mooring itself needs 2 connections at a time'],
    [{ maxclients: '2' }, 'expected 3 or more'],
    [{ Timeout: '1' }, 'in small letters'],
    [{ timeout: '1\nrequirepass x' }, ''],
    [{ save: [] }, ''],
  ])('do not take %j', (given, message) => expect(parse(given)).toContain(message));

  it('take what only a restart brings, several lines, and names with an underscore', () =>
    expect(
      parse({
        'rename-command': ['FLUSHALL ""', 'KEYS mine'],
        user: 'app on ~app:* +@all',
        save: ['900 1', '300 10'],
        unixsocket: '/run/redis/redis.sock',
        server_cpulist: '0-1',
      }),
    ).toBeUndefined());

  it('take numbers and booleans, as Redis writes them', () =>
    expect(settings.parse({ ...given, parameters: { timeout: 30, 'lazyfree-lazy-expire': true, save: ['900 1'] } }).parameters).toEqual({
      timeout: '30',
      'lazyfree-lazy-expire': 'yes',
      save: ['900 1'],
    }));
});
