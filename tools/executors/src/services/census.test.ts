import { describe, expect, it, test } from 'vitest';
import type { CommandResult } from '../engine/command.ts';
import { Secret } from '../engine/secret.ts';
import type { Census, Desired, Service } from '../engine/service.ts';
import minio from './minio/service.ts';
import postgres from './postgres/service.ts';
import rabbitmq from './rabbitmq/service.ts';
import redis from './redis/service.ts';

const password = new Secret('pencil');
const context = { environment: 'local', instance: 'i', clientNetworks: [], artifacts: {} };

/** What a service makes of an answer to its question. */
function counted<S>(service: Service<S>, settings: object, answer: Partial<CommandResult>): Census {
  const desired: Desired<S> = { settings: service.settings.parse(settings), context };
  const fact = service.census?.(desired);
  if (fact === undefined) throw new Error(`${service.name} has no census`);
  expect(fact.command.effect).toBe('read');
  expect(fact.command.argv.join(' ')).not.toContain('pencil');
  expect(fact.command.timeoutMs).toBeGreaterThan(0);
  return fact.parse({ command: fact.command, code: 0, stdout: '', stderr: '', ...answer });
}

describe('postgres', () => {
  const settings = { role: 'veza', database: 'veza', password };
  const table = (over: object) =>
    `${JSON.stringify({ schema: 'public', table: 't', bytes: 8192, exact: true, count: 3, parts: 0, ...over })}\n`;
  const database = (name: string, checksums = true) => `${JSON.stringify({ database: name, checksums })}\n`;

  it('tells the rows of the tables of every database, the system’s own left out', () => {
    const stdout = `${database('a')}${table({ schema: 'pg_catalog' })}${database('b')}${table({ table: 'x.y' })}${table({ exact: false, count: 9 })}`;
    expect(counted(postgres, settings, { stdout })).toEqual({
      entries: [
        { kind: 'table', name: 'b.public.x.y', count: 3, of: 'rows', bytes: 8192 },
        { kind: 'table', name: 'b.public.t', count: 9, of: 'rows', bytes: 8192, estimated: true },
      ],
      proves: 'all tables but 1 large ones were read, its pages checked by their checksums; indexes were not',
    });
  });

  it('says it when damage may go unseen', () =>
    expect(counted(postgres, settings, { stdout: database('a', false) }).proves).toContain('without data checksums'));

  it('a page that cannot be read is an error with the server’s words', () => {
    const stderr = 'ERROR:  invalid page in block 0 of relation base/16389/16390';
    expect(() => counted(postgres, settings, { code: 3, stdout: database('a'), stderr })).toThrow(
      expect.objectContaining({ message: 'not all tables could be read', detail: expect.objectContaining({ stderr }) }),
    );
  });

  test.each([
    ['nothing', ''],
    ['a table of no database', table({})],
    ['a line that is not known', `${database('a')}NOTICE\n`],
  ])('refuses %s', (_, stdout) => expect(() => counted(postgres, settings, { stdout })).toThrow(/not known|no database/));
});

describe('redis', () => {
  const settings = { password, maxmemoryPolicy: 'noeviction' };
  it('tells the keys of every database', () =>
    expect(
      counted(redis, settings, { stdout: 'OK\n# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\ndb3:keys=1,expires=1,avg_ttl=9\r\n\nOK\n' })
        .entries,
    ).toEqual([
      { kind: 'database', name: 'db0', count: 2, of: 'keys' },
      { kind: 'database', name: 'db3', count: 1, of: 'keys' },
    ]));
  it('an empty one holds nothing', () => expect(counted(redis, settings, { stdout: 'OK\n# Keyspace\r\n\nOK\n' }).entries).toEqual([]));
  test.each([
    ['a refused password', 'WRONGPASS invalid\nNOAUTH Authentication required.\n', 'WRONGPASS invalid'],
    ['no answer', '', 'no answer'],
    ['an unknown line', '# Keyspace\r\nshard0:keys=1\r\n', 'not known'],
  ])('%s is no empty database', (_, stdout, words) => expect(() => counted(redis, settings, { stdout })).toThrow(words));
});

describe('rabbitmq', () => {
  const settings = { password };
  const said = (value: unknown) => ({ stdout: Buffer.from(JSON.stringify(value)).toString('base64') });
  it('tells the messages of every queue', () =>
    expect(counted(rabbitmq, settings, said([{ vhost: '/veza', name: 'jobs', messages: 3 }])).entries).toEqual([
      { kind: 'queue', name: '/veza: jobs', count: 3, of: 'messages' },
    ]));
  it('a queue that is down is no empty queue', () =>
    expect(() => counted(rabbitmq, settings, said([{ vhost: '/', name: 'jobs', messages: null }]))).toThrow(
      'queues that are down: /: jobs',
    ));
  it('a node that does not answer is an error', () => expect(() => counted(rabbitmq, settings, { code: 1 })).toThrow('could not be asked'));
});

describe('minio', () => {
  const secret = new Secret('pencil-pencil');
  const settings = { bucket: 'veza', accessKey: new Secret('app'), secretKey: secret, rootUser: new Secret('root'), rootPassword: secret };
  const http = (body: string, status = '200 OK') => `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const buckets = http(
    '<ListAllMyBucketsResult><Buckets><Bucket><Name>other</Name></Bucket><Bucket><Name>veza</Name></Bucket></Buckets></ListAllMyBucketsResult>',
  );
  const listing = (truncated: boolean) =>
    http(
      `<ListBucketResult><IsTruncated>${truncated}</IsTruncated><Contents><Size>5</Size></Contents><Contents><Size>7</Size></Contents></ListBucketResult>`,
    );

  it('tells the objects of every bucket, by its listing where that is whole', () =>
    expect(counted(minio, settings, { stdout: `      9 other/\n      2 veza/\nanswers\n${buckets}${listing(false)}` }).entries).toEqual([
      { kind: 'bucket', name: 'other', count: 9, of: 'objects', estimated: true },
      { kind: 'bucket', name: 'veza', count: 2, bytes: 12, of: 'objects' },
    ]));
  it('a listing that is cut off counts nothing: the files do', () =>
    expect(counted(minio, settings, { stdout: `   5000 veza/\nanswers\n${buckets}${listing(true)}` }).entries[1]).toEqual({
      kind: 'bucket',
      name: 'veza',
      count: 5000,
      of: 'objects',
      estimated: true,
    }));
  test.each([
    [
      'a bucket that is gone',
      { stdout: `answers\n${http('<ListAllMyBucketsResult></ListAllMyBucketsResult>')}${listing(false)}` },
      'no bucket veza',
    ],
    ['a listing that is refused', { stdout: `answers\n${buckets}${http('<Code>SlowDown</Code>', '503 x')}` }, 'MinIO answers 503 SlowDown'],
    ['files that could not be read', { code: 1, stderr: 'find: Input/output error' }, 'could not be counted'],
  ])('%s is an error', (_, answer, words) => expect(() => counted(minio, settings, answer)).toThrow(words));
});
