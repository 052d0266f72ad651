import { describe, expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { inside } from './health.ts';
import service from './service.ts';
import type { RedisSettings } from './settings.ts';

const settings = service.settings.parse({ password: new Secret('pencil'), maxmemoryPolicy: 'noeviction' });
const fact = inside({ settings, context: {} } as Desired<RedisSettings>);

/** As redis-cli 7.0.15 prints it, shortened. */
const info = (over: Record<string, string> = {}) => {
  const values = {
    redis_version: '7.0.15',
    connected_clients: '3',
    maxclients: '10000',
    used_memory: '1000000',
    maxmemory: '268435456',
    maxmemory_policy: 'noeviction',
    rdb_last_bgsave_status: 'ok',
    aof_last_bgrewrite_status: 'ok',
    role: 'master',
    ...over,
  };
  return `# Server\r\n${Object.entries(values)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')}\n`;
};
const told = (stdout: string, stderr = '') => fact.parse({ command: fact.command, code: 0, stdout, stderr });

describe('health', () => {
  it('is what takes a read and a write', () =>
    expect(told(`OK\nPONG\n0\n${info()}OK\ndisk:  5%    -\n`)).toEqual({ version: '7.0.15', detail: 'AUTH and PING' }));

  it.each([
    ['OOM', "OK\nPONG\nOOM command not allowed when used memory > 'maxmemory'.\n\n"],
    [
      'MISCONF',
      'OK\nMISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk. Commands are disabled.\n\nMISCONF Redis …\n\n',
    ],
    ['READONLY', "OK\nPONG\nREADONLY You can't write against a read only replica.\n\n"],
    ['NOREPLICAS', 'OK\nPONG\nNOREPLICAS Not enough good replicas to write.\n\n'],
    ['NOPERM', "OK\nPONG\nNOPERM this user has no permissions to run the 'setrange' command\n\n"],
    ['CLUSTERDOWN', 'OK\nPONG\nCLUSTERDOWN Hash slot not served\n\n'],
  ])('is not that of a server that answers a write with %s', (word, answers) =>
    expect(() => told(`${answers}${info()}OK\n`)).toThrow(new RegExp(`^redis takes no writes: ${word} [^.]*\\.?$`)),
  );

  it.each([
    [
      'a wrong password',
      'WRONGPASS invalid username-password pair or user is disabled.\n\nNOAUTH Authentication required.\n\n',
      '',
      'WRONGPASS invalid',
    ],
    ['loading', 'OK\nLOADING Redis is loading the dataset in memory\n\nLOADING Redis is loading\n\n', '', 'LOADING Redis is loading'],
    ['no connection left', 'ERR max number of clients reached\n\n', '', 'ERR max number of clients'],
    ['nothing that listens', '', 'Could not connect to Redis at 127.0.0.1:6379: Connection refused', 'Could not connect'],
    ['no answer', '', '', 'no answer'],
    ['an answer that was cut off', 'OK\nPONG\n', '', 'no answer'],
  ])('is not that of %s', (_, stdout, stderr, words) =>
    expect(() => told(stdout, stderr)).toThrow(`redis does not answer AUTH and PING: ${words}`),
  );

  it('of a cluster’s node is well when the key is another node’s', () =>
    expect(told(`OK\nPONG\nMOVED 866 10.0.0.2:6379\n\n${info()}`).degraded).toBeUndefined());

  it.each([
    [{ used_memory: '250000000' }, '93 % of maxmemory are used, and nothing is evicted'],
    [{ connected_clients: '9500' }, '95 % of maxclients are connected'],
    [{ rdb_last_bgsave_status: 'err' }, 'the last dump could not be written'],
    [{ aof_last_bgrewrite_status: 'err' }, 'the append-only file could not be rewritten'],
    [{ role: 'slave', master_host: '10.0.0.1' }, 'it is a replica of 10.0.0.1'],
    [{ disk: ' 85%    3%' }, 'the disk of /var/lib/redis is 85 % full'],
  ])('is degraded by %j', (over, reason) => expect(told(`OK\nPONG\n0\n${info(over)}`).degraded).toEqual([reason]));

  it('of a cache that is full is well: it evicts', () =>
    expect(told(`OK\nPONG\n0\n${info({ used_memory: '268435456', maxmemory_policy: 'allkeys-lru' })}`).degraded).toBeUndefined());
});
