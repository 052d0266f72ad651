import { describe, expect, it } from 'vitest';
import type { HealthAnswer } from './health-sql.ts';
import { judge } from './judge.ts';

const well: HealthAnswer = {
  version: '15.20 (Debian 15.20-0+deb12u1)',
  role: 'veza',
  server: { disks: '4096 1000000 900000 900000\n4096 1000000 900000 900000\n', clients: 3, standbys: 0 },
  recovery: false,
  readOnly: null,
  limits: { statement_timeout: 0, idle_in_transaction_session_timeout: 60_000, idle_session_timeout: 0 },
  schema: 'public',
  create: true,
  write: true,
  connections: 97,
  age: 731,
  archiver: null,
  slots: [],
  waitsFor: null,
  senders: 0,
  damaged: 0,
  segment: 16_777_216,
  collation: null,
};
const disks = (...lines: string[]) => ({ server: { disks: lines.join('\n'), clients: 3, standbys: 0 } });
const ROOM = '4096 1000000 900000 900000';

it('healthy has no reason; from outside the server’s own part is not known', () => {
  expect(judge(well, 'veza')).toEqual({ version: '15.20', detail: 'SELECT as veza' });
  expect(judge({ ...well, server: null }, 'veza')).toEqual({ version: '15.20', detail: 'SELECT as veza' });
});

describe('the application cannot do its work', () => {
  it.each<[string, Partial<HealthAnswer>, string]>([
    ['another role', { role: 'postgres' }, 'the session is one of role postgres, not veza'],
    ['recovery', { recovery: true, readOnly: 'default' }, 'the server is in recovery'],
    ['read-only, server', { readOnly: 'configuration file' }, 'default_transaction_read_only is on (set by: configuration file)'],
    ['read-only, role', { readOnly: 'user' }, 'default_transaction_read_only is on (set by: user)'],
    ['statements', { limits: { statement_timeout: 1, idle_session_timeout: 0 } }, 'role veza gets nothing done: statement_timeout is 1 ms'],
    ['transactions', { limits: { statement_timeout: 0, transaction_timeout: 9 } }, 'transaction_timeout is 9 ms'],
    ['nothing that it may write', { create: false, write: false }, 'it may make no table in schema public, and there is none'],
    ['no schema', { schema: null, create: false, write: false }, 'it may make no table (no schema of its search_path is there)'],
    ['wraparound', { age: 2_144_483_647 }, 'its transaction numbers have run out'],
    ['no room for WAL', disks('4096 1000 4096 4095', ROOM), 'the disk of the WAL is full: 16773120 bytes are free'],
    ['no room for a page', disks(ROOM, '4096 1000 51 1'), 'the disk of the data directory is full: 4096 bytes are free'],
    ['a full tablespace', disks(ROOM, ROOM, '4096 1000 0 0'), 'the disk of a tablespace is full: 0 bytes are free'],
    ['COMMIT waits', { waitsFor: 'b' }, 'every COMMIT waits: synchronous_standby_names (b) wants 1 standby servers, and 0 are connected'],
    ['one of two', { waitsFor: 'any 2 (b, c)', server: { disks: '', clients: 3, standbys: 1 } }, 'wants 2 standby servers, and 1 are'],
    ['COMMIT waits, from outside', { waitsFor: '*', server: null }, 'every COMMIT waits'],
  ])('%s', (_, answer, reason) => {
    expect(() => judge({ ...well, ...answer }, 'veza')).toThrow(reason);
  });
});

describe('it works, and somebody has to see to it', () => {
  it.each<[string, Partial<HealthAnswer>, string]>([
    ['a disk at 85 %', disks('4096 1000000 150000 150000', ROOM), 'the disk of the WAL is 85 % full'],
    // 900 used, 50 free for others than root: 94 %, as df has it.
    ['what is reserved for root is not free', disks(ROOM, '1048576 1000 100 50'), 'the disk of the data directory is 94 % full'],
    ['connections', { server: { disks: ROOM, clients: 88, standbys: 0 } }, '88 of 97 connections are in use'],
    ['no CREATE in its schema', { create: false }, 'role veza may make no table in schema public'],
    ['age', { age: 1_600_000_000 }, 'the oldest transaction number is 1600000000 old, and at 2144483647 writes stop'],
    ['archiving', { archiver: { wal: '0000A', at: '2026-11-30T16:39:08+00:00', failures: 6 } }, 'WAL is not archived: 0000A failed at'],
    ['a slot', { slots: [{ name: 's1', status: 'extended', bytes: 2 ** 31 }] }, 'replication slot s1 holds 2048 MB of WAL'],
    ['a lost slot', { slots: [{ name: 's1', status: 'lost', bytes: null }] }, 'replication slot s1 has lost WAL that it needs'],
    ['checksums', { damaged: 2 }, '2 pages with a wrong checksum were read'],
    ['collation', { collation: { recorded: '2.31', actual: '2.36' } }, 'collation version 2.31 is now 2.36: REINDEX DATABASE'],
  ])('%s', (_, answer, reason) => {
    const { degraded } = judge({ ...well, ...answer }, 'veza');
    expect(degraded).toHaveLength(1);
    expect(degraded?.[0]).toContain(reason);
  });

  it.each<[string, Partial<HealthAnswer>]>([
    ['a disk below 85 %', disks('4096 1000000 150001 150001', ROOM)],
    ['a file system that does not know its size', disks(ROOM, '4096 0 0 0')],
    ['limits that leave time', { limits: { statement_timeout: 10, transaction_timeout: 500 } }],
    ['90 % of the connections', { server: { disks: ROOM, clients: 87, standbys: 0 } }],
    ['standbys that are there', { waitsFor: 'FIRST 1 (b)', server: { disks: ROOM, clients: 1, standbys: 1 }, senders: 1 }],
    ['standbys that are there, from outside', { waitsFor: 'b', server: null, senders: 1 }],
  ])('not so: %s', (_, answer) => {
    expect(judge({ ...well, ...answer }, 'veza')).not.toHaveProperty('degraded');
  });
});

it('output of stat that is not known stops', () => {
  expect(() => judge({ ...well, ...disks('hello') }, 'veza')).toThrow('unexpected line of stat');
});
