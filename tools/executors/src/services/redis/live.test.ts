import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { liveServer } from './live.ts';
import { settings } from './settings.ts';

const { parse } = liveServer({
  ...(settings.parse({ password: { secret: 'REDIS_PASSWORD' }, maxmemoryPolicy: 'noeviction' }) as object),
  password: new Secret('word'),
} as never);

const told = (...info: readonly string[]) =>
  parse({
    code: 0,
    stdout: ['OK', 'nx-mooring:file', 'OK', 'nx-mooring:settings', 'maxmemory', '67108864', 'nx-mooring:values', ...info, ''].join('\n'),
    stderr: '',
  } as never);

it('reads what the server has in it', () => {
  const keyspace = ['# Keyspace', 'db0:keys=7,expires=2,avg_ttl=0', 'db11:keys=1,expires=1,avg_ttl=9'];
  const memory = ['# Memory', 'used_memory:100900', 'used_memory_human:98.54K', 'mem_not_counted_for_evict:900'];
  expect(told(...keyspace, '# Clients', 'connected_clients:3', ...memory)).toMatchObject({
    state: 'answers',
    takesPassword: true,
    values: { maxmemory: '67108864' },
    highestDatabase: 11,
    expiring: 3,
    clients: 3,
    usedMemory: 100_000,
  });
});

it('a server without keys has no database in use', () => {
  expect(told('# Keyspace')).toMatchObject({ highestDatabase: -1, expiring: 0 });
});
