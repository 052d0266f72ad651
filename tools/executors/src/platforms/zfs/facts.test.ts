import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CommandResult, read } from '../../engine/command.ts';
import { CommandError, SafetyError } from '../../engine/errors.ts';
import { restorePoints } from '../../snapshots/set.ts';
import { datasetOf } from './dataset.ts';
import { datasetsCommand, parseDatasets, requirePools, type Zpool, zpoolsFact } from './facts.ts';
import { foundOnZfs } from './marks.ts';
import { MARKS } from './properties.ts';
import type { ZfsVolume } from './volume.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const tank: Zpool = { name: 'tank', size: 100, allocated: 1, free: 99, health: 'ONLINE' };
const redis: ZfsVolume = {
  kind: 'zfs',
  instance: 'veza-redis',
  project: 'default',
  uuid: 'uuid-r',
  pool: 'default',
  dataset: 'tank/incus/containers/veza-redis',
};
const minio: ZfsVolume = {
  kind: 'zfs',
  instance: 'veza-minio',
  project: 'default',
  uuid: 'uuid-m',
  pool: 'default',
  dataset: 'tank/incus/containers/veza-minio',
};
const mark = { id: 'run-1', release: A, environment: 'prod', tool: '0.1.0' };

/** What the real tools printed for a command of a recorded session, stdout and stderr together. */
function recorded(log: string, command: string): string {
  const text = readFileSync(new URL(`./transcripts/${log}.log`, import.meta.url), 'utf8');
  const begin = text.indexOf(`\n$ ${command}`);
  if (begin < 0) throw new Error(`${log}.log has no command that begins with ${command}`);
  const output = text.slice(text.indexOf('\n', begin + 1) + 1);
  return output.slice(0, output.search(/^ {3}\[rc=/m));
}

function answer(stdout: string, stderr = '', code = 0): CommandResult {
  return { command: read(['zfs', 'get']), code, stdout, stderr };
}

type Properties = Record<string, string | [value: string, source: string]>;

/** Lines in the form of `zfs get -Hp -o name,property,value,source`; what is left out is printed as ZFS prints what is not set. */
function got(name: string, properties: Properties): string {
  const snapshot = name.includes('@');
  const native: Properties = {
    type: snapshot ? 'snapshot' : 'filesystem',
    createtxg: '619',
    creation: '1795330400',
    used: '118784',
    written: '151527424',
    userrefs: snapshot ? '0' : '-',
    clones: snapshot ? '' : '-',
  };
  const all = { ...native, ...Object.fromEntries(Object.values(MARKS).map((key) => [key, '-'])), ...properties };
  return Object.entries(all)
    .map(([key, value]) => `${name}\t${key}\t${typeof value === 'string' ? `${value}\t-` : value.join('\t')}\n`)
    .join('');
}

function marks(release: string, id: string, uuids: Record<string, string>, source = 'local'): Properties {
  const values = { release, environment: 'prod', set: id, tool: '0.1.0', members: JSON.stringify(uuids) };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`mooring:${key}`, [value, source]]));
}

const both = { 'veza-redis': 'uuid-r', 'veza-minio': 'uuid-m' };

describe('datasets', () => {
  it('are asked for with their snapshots in one process', () => {
    expect(datasetsCommand(['tank/a b', 'tank/c'])).toEqual({
      argv: [
        ...['zfs', 'get', '-Hp', '-d', '1', '-t', 'filesystem,snapshot', '-o', 'name,property,value,source'],
        'type,createtxg,creation,used,written,userrefs,clones,mooring:release,mooring:environment,mooring:set,mooring:tool,mooring:members',
        ...['tank/a b', 'tank/c'],
      ],
      effect: 'read',
    });
  });

  it('are read, with names that have spaces, snapshots by createtxg and not by name or creation', () => {
    const stdout =
      got('tank/foo bar', { written: '7' }) +
      got('tank/foo bar@a 2', { createtxg: '9', creation: '100', userrefs: '1', clones: 'tank/x y,tank/z' }) +
      got('tank/foo bar@a 1', { createtxg: '4', creation: '999', clones: '-', 'mooring:set': ['run', 'inherited from tank'] }) +
      got('tank/foo bar/child', {});
    const dataset = parseDatasets(answer(stdout), ['tank/foo bar'], [tank]).get('tank/foo bar');
    expect(dataset).toMatchObject({ written: 7, children: ['tank/foo bar/child'] });
    expect(
      dataset !== 'absent' && dataset?.snapshots.map(({ name, holds, clones, marks: found }) => ({ name, holds, clones, found })),
    ).toEqual([
      { name: 'a 1', holds: 0, clones: [], found: { set: { value: 'run', source: 'inherited from tank' } } },
      { name: 'a 2', holds: 1, clones: ['tank/x y', 'tank/z'], found: {} },
    ]);
  });

  it('are absent only when ZFS says precisely that, of one that was asked for', () => {
    const line = recorded('zt4', 'zfs rollback tank/incus/containers/m1@nope');
    expect(line).toBe("cannot open 'tank/incus/containers/m1@nope': dataset does not exist\n");
    const stderr = line.replace('m1@nope', 'm1');
    const m1 = 'tank/incus/containers/m1';
    expect(parseDatasets(answer(got(redis.dataset, {}), stderr, 1), [m1, redis.dataset], [tank]).get(m1)).toBe('absent');
    for (const other of [
      "cannot open 'tank/other': dataset does not exist\n",
      `${stderr}internal error: out of memory\n`,
      "cannot open 'tank/x': I/O error\n",
    ]) {
      expect(() => parseDatasets(answer('', other, 1), [m1, redis.dataset], [tank])).toThrow(CommandError);
    }
    expect(() => parseDatasets(answer(''), [m1], [tank])).toThrow('not even that it does not exist');
  });

  it('are not absent because their pool was not imported: ZFS says the same then', () => {
    expect(recorded('zt4', 'zfs rollback tank/incus/containers/none@x')).toContain("cannot open 'bad name': dataset does not exist");
    const gone = answer('', "cannot open 'bad name/x': dataset does not exist\n", 1);
    expect(() => parseDatasets(gone, ['bad name/x'], [tank])).toThrow('the ZFS pool bad name is not imported');
    expect(() => requirePools([{ ...tank, health: 'SUSPENDED' }], ['tank/x'])).toThrow('SUSPENDED');
    expect(() => requirePools([{ ...tank, health: 'DEGRADED' }], ['tank/x'])).not.toThrow();
  });

  it.each([
    ['a line of too few fields', 'tank/x\ttype\tfilesystem\n'],
    ['a value with a tab', got('tank/x', { 'mooring:tool': ['1\t2', 'local'] })],
    ['a number that is none', got('tank/x', { used: '1.2G' })],
    ['a volume', got('tank/x', { type: 'volume' })],
    ['a property twice', got('tank/x', {}) + got('tank/x', {})],
    ['a property that is missing', 'tank/x\ttype\tfilesystem\t-\n'],
    ['something not asked for', got('tank/x', {}) + got('tank/xy@a', {})],
  ])('stop at %s', (_, stdout) => {
    expect(() => parseDatasets(answer(stdout), ['tank/x'], [tank])).toThrow();
  });

  it('come from the API, never from a search', () => {
    const pool = { name: 'default', driver: 'zfs', config: { 'zfs.pool_name': 'tank/incus' } };
    expect(recorded('zt4', "incus query '/1.0/storage-pools/default'")).toContain('"zfs.pool_name":"tank/incus"');
    const all = recorded('zt4', 'zfs list -H -r -o name,mounted,origin tank/incus/containers');
    expect([datasetOf(pool, 'dev', 'p1'), datasetOf(pool, 'a-b', 'p1'), datasetOf(pool, 'default', 'c1')]).toSatisfy((found: string[]) =>
      found.every((name) => all.includes(`${name}\t`)),
    );
    expect(() => datasetOf({ name: 'x', driver: 'zfs', config: {} }, 'default', 'c1')).toThrow(SafetyError);
  });
});

describe('pools', () => {
  it('are listed', () => {
    expect(zpoolsFact.parse(answer('tank\t10200547328\t1032192\t10199515136\tONLINE\nfoo bar\t5\t1\t4\tDEGRADED\n'))).toEqual([
      { name: 'tank', size: 10200547328, allocated: 1032192, free: 10199515136, health: 'ONLINE' },
      { name: 'foo bar', size: 5, allocated: 1, free: 4, health: 'DEGRADED' },
    ]);
    expect(zpoolsFact.parse(answer(''))).toEqual([]);
    expect(() => zpoolsFact.parse(answer('tank\t1\n'))).toThrow('not known');
    expect(() => zpoolsFact.parse(answer('', 'sh: zpool: not found', 127))).toThrow('no ZFS tools on this host');
  });
});

describe('marks', () => {
  function found(stdout: string, volumes: ZfsVolume[] = [redis]) {
    const datasets = volumes.flatMap((volume) => (volume.kind === 'zfs' ? [volume.dataset] : []));
    return foundOnZfs(parseDatasets(answer(stdout), datasets, [tank]), volumes, 'prod');
  }

  it('make a set of the snapshots of one cut', () => {
    const name = `pre-deploy-${A}`;
    const stdout = [redis, minio]
      .map(
        (volume) =>
          got(volume.kind === 'zfs' ? volume.dataset : '', {}) +
          got(`${volume.kind === 'zfs' && volume.dataset}@${name}`, marks(A, 'run-1', both)),
      )
      .join('');
    const { sets, strays, taken } = restorePoints([found(stdout, [redis, minio])]);
    expect(sets).toHaveLength(1);
    expect(sets[0]).toMatchObject({
      ...mark,
      name,
      missing: [],
      intended: ['veza-redis', 'veza-minio'],
      cutAt: '2026-11-22T06:53:20.000000000Z',
    });
    expect(sets[0]?.members.map(({ instance }) => instance)).toEqual(['veza-minio', 'veza-redis']);
    expect([strays, taken]).toEqual([[], [name]]);
  });

  it('prove a custom volume by the container that has it', () => {
    const blobs: ZfsVolume = { ...redis, kind: 'zfs', volume: 'blobs', dataset: 'tank/incus/custom/default_blobs' };
    const snapshot = `${blobs.dataset}@pre-deploy-${A}`;
    const of = (members: Record<string, string>) => found(got(blobs.dataset, {}) + got(snapshot, marks(A, 'run-1', members)), [blobs]);
    const { sets } = restorePoints([of({ 'veza-redis': 'uuid-r', 'veza-redis/blobs': 'uuid-r' })]);
    expect(sets).toMatchObject([
      { missing: ['veza-redis'], members: [{ instance: 'veza-redis', volume: 'blobs', dataset: blobs.dataset }] },
    ]);
    for (const [members, because] of [
      [{ 'veza-redis': 'uuid-r' }, 'does not name veza-redis/blobs'],
      [{ 'veza-redis/blobs': 'uuid-old' }, 'of another container'],
    ] as const)
      expect(of(members)).toMatchObject({ members: [], strays: [{ where: snapshot, because: expect.stringContaining(because) }] });
  });

  it.each<[string, Properties]>([
    ['inherited', marks(A, 'run-1', both, 'inherited from tank')],
    ['received with a replica', marks(A, 'run-1', both, 'received')],
    ['of another environment', { ...marks(A, 'run-1', both), 'mooring:environment': ['staging', 'local'] }],
    ['of another release than the name says', marks(B, 'run-1', both)],
    ['of another container of that name', marks(A, 'run-1', { 'veza-redis': 'uuid-old' })],
    ['of other containers', marks(A, 'run-1', { 'veza-minio': 'uuid-r' })],
    ['not a list', { ...marks(A, 'run-1', both), 'mooring:members': ['veza-redis', 'local'] }],
    ['not there', {}],
  ])('do not count when %s', (_, properties) => {
    const { members, strays, taken } = found(got(redis.dataset, {}) + got(`${redis.dataset}@pre-deploy-${A}`, properties));
    expect(members).toEqual([]);
    expect(strays).toMatchObject([{ where: `${redis.dataset}@pre-deploy-${A}` }]);
    expect(taken).toEqual([`pre-deploy-${A}`]);
  });

  it('leave the snapshots of Incus and others alone', () => {
    const stdout =
      got(redis.dataset, {}) +
      ['snapshot-s1', 'copy-421d4d90', 'autosnap_2026', 'pre-deploy-aaa']
        .map((name) => got(`${redis.dataset}@${name}`, marks(A, 'r', both)))
        .join('');
    expect(found(stdout)).toMatchObject({ members: [], strays: [] });
  });

  it('are asked for in vain where Incus lists a container whose dataset is gone', () => {
    const listing = parseDatasets(answer('', `cannot open '${redis.dataset}': dataset does not exist\n`, 1), [redis.dataset], [tank]);
    expect(() => foundOnZfs(listing, [redis], 'prod')).toThrow('Incus lists veza-redis, but its dataset');
  });
});
