import { describe, expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { settings } from './settings.ts';
import { COMMANDS } from './words.ts';

const parse = (parameters: unknown) =>
  settings.safeParse({ password: new Secret('pencil'), maxmemoryPolicy: 'noeviction', parameters }).error?.issues[0]?.message;

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
    [{ requirepass: 'x' }, 'nx-mooring writes this parameter itself'],
    [{ maxmemory: '1mb' }, 'nx-mooring writes this parameter itself'],
    [{ pidfile: '/tmp/x' }, 'nx-mooring writes this parameter itself'],
    [{ Timeout: '1' }, 'Invalid key'],
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
});
