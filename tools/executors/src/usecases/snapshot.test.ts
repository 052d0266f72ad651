import { describe, expect, it } from 'vitest';
import { type Command, type CommandResult, type Host, write } from '../engine/command.ts';
import { MooringError, SafetyError, showError } from '../engine/errors.ts';
import { instancesCommand } from '../platforms/incus/snapshots.ts';
import { datasetsCommand, zpoolsFact } from '../platforms/zfs/facts.ts';
import { MARKS } from '../platforms/zfs/marks.ts';
import type { PruneDecision } from '../snapshots/prune.ts';
import type { SetMember, SnapshotSet, Volume } from '../snapshots/set.ts';
import { pruneSets } from './prune.ts';
import { cutSet } from './snapshot.ts';
import { coverage, restorePointCommands } from './volumes.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const name = `pre-deploy-${A}`;
const mark = { id: 'run-1', release: A, environment: 'prod', tool: '0.1.0' };

/** A host that answers by the command line and throws at one that nobody expected. */
function fakeHost(answers: Record<string, Partial<CommandResult> | (() => Partial<CommandResult>)>) {
  const asked: string[][] = [];
  const host: Host = {
    name: 'fake',
    async run(batch, order) {
      asked.push(batch.map(({ argv }) => argv.join(' ')));
      const results: CommandResult[] = [];
      for (const command of batch) {
        const key = Object.keys(answers).find((prefix) => command.argv.join(' ').startsWith(prefix));
        if (key === undefined) throw new Error(`nobody expected: ${command.argv.join(' ')}`);
        const answer = answers[key];
        const result = { command, code: 0, stdout: '', stderr: '', ...(typeof answer === 'function' ? answer() : answer) };
        results.push(result);
        if (order === 'sequence' && result.code !== 0) break;
      }
      return results;
    },
    putFile: () => Promise.reject(new Error('nobody expected a file')),
  };
  return { host, asked };
}

function zfsVolume(instance: string, pool = 'tank'): Volume & { kind: 'zfs' } {
  return { kind: 'zfs', instance, project: 'default', uuid: `uuid-${instance}`, pool, dataset: `${pool}/containers/${instance}` };
}

function incusVolume(instance: string): Volume {
  return { kind: 'incus', instance, project: 'default', uuid: `uuid-${instance}`, pool: 'lab' };
}

/** `zfs get` of datasets that have one snapshot each, marked as a set of `intended`. */
function zfsGet(volumes: (Volume & { kind: 'zfs' })[], intended: string[], txg: (i: number) => number = () => 7): string {
  const members = JSON.stringify(Object.fromEntries(intended.map((instance) => [instance, `uuid-${instance}`])));
  const marks = { release: A, environment: 'prod', set: 'run-1', tool: '0.1.0', members };
  return volumes
    .flatMap(({ dataset }, i) => [
      ...Object.entries({ type: 'filesystem', createtxg: 1, creation: 1, used: 1, written: 0, userrefs: '-', clones: '-' }).map(
        ([key, value]) => `${dataset}\t${key}\t${value}\t-`,
      ),
      ...Object.values(MARKS).map((key) => `${dataset}\t${key}\t-\t-`),
      ...Object.entries({ type: 'snapshot', createtxg: txg(i), creation: 1795330400, used: 1, written: 0, userrefs: 0, clones: '' }).map(
        ([key, value]) => `${dataset}@${name}\t${key}\t${value}\t-`,
      ),
      ...Object.entries(marks).map(([key, value]) => `${dataset}@${name}\tmooring:${key}\t${value}\tlocal`),
    ])
    .join('\n');
}

function incusJson(have: string[], intended: string[], expires = '0001-01-01T00:00:00Z', all = intended): string {
  const keys = {
    set: 'run-1',
    'set-name': name,
    'set-release': A,
    'set-environment': 'prod',
    'set-tool': '0.1.0',
    'set-members': intended.join(','),
  };
  return JSON.stringify(
    all.map((instance, i) => {
      const config = {
        ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [`user.mooring.${key}`, value])),
        'volatile.uuid': `uuid-${instance}`,
      };
      const snapshots = have.includes(instance) ? [{ name, created_at: `2026-11-23T05:00:0${i}.25Z`, expires_at: expires, config }] : null;
      return { name: instance, project: 'default', config, snapshots };
    }),
  );
}

const zpools = { 'zpool list': { stdout: 'tank\t9\t1\t8\tONLINE\nfast\t9\t1\t8\tONLINE\n' } };

describe('a cut', () => {
  it('on ZFS is one round trip, with what must come first and the proof', async () => {
    const volumes = [zfsVolume('redis'), zfsVolume('minio')];
    const { host, asked } = fakeHost({
      ...zpools,
      audit: {},
      'zfs snapshot': {},
      'zfs get': { stdout: zfsGet(volumes, ['redis', 'minio']) },
    });
    const report = await cutSet(host, { name, mark, volumes, first: [write(['audit'])] });
    expect(asked.map((batch) => batch.map((line) => line.split(' ').slice(0, 2).join(' ')))).toEqual([
      ['audit', 'zfs snapshot', 'zpool list', 'zfs get'],
    ]);
    expect(report.sentences).toEqual(['cut pre-deploy-aaaaaaaaaaaa of minio, redis']);
    expect(report.set).toMatchObject({ id: 'run-1', name, missing: [] });
  });

  it('of several pools and kinds is said not to be of one moment', async () => {
    const [redis, minio] = [zfsVolume('redis'), zfsVolume('minio', 'fast')];
    const all = ['redis', 'minio', 'rabbit', 'postgres'];
    const { host } = fakeHost({
      ...{ ...zpools, 'zfs snapshot': {}, 'incus config set': {}, 'incus snapshot create': {} },
      ...{ 'zfs get': { stdout: zfsGet([redis, minio], all, (i) => 7 + i) }, 'incus query': { stdout: incusJson(all, all) } },
    });
    expect((await cutSet(host, { name, mark, volumes: [redis, minio, incusVolume('rabbit'), incusVolume('postgres')] })).sentences).toEqual(
      [
        'cut pre-deploy-aaaaaaaaaaaa of minio, postgres, rabbit, redis',
        'not in one moment: ZFS cuts the pools fast, tank one after the other',
        'not in one moment: some containers are on ZFS, others are cut by Incus',
        'not in one moment: Incus cuts one container after the other (1.00 s from the first to the last)',
      ],
    );
  });

  it('that fails half way leaves what it cut, and says what', async () => {
    const volumes = [incusVolume('redis'), incusVolume('minio')];
    const full = { code: 1, stderr: 'Error: no space left on device\n' };
    const { host, asked } = fakeHost({
      ...{ 'incus config set': {}, 'incus snapshot create redis': {}, 'incus snapshot create minio': full },
      'incus query': { stdout: incusJson(['redis'], ['redis', 'minio']) },
    });
    const error = await cutSet(host, { name, mark, volumes }).catch((caught) => caught);
    expect(showError(error)).toBe(`could not cut the restore point ${name}; nothing else was changed
  where:   host fake, step snapshot
  command: incus snapshot create minio ${name} --no-expiry --project default (exit code 1)
  stderr:  Error: no space left on device
  next:    of redis it was cut and stays, of minio it was not. Mend the cause, then run the same command again: it cuts a new one`);
    expect(asked.flat().some((line) => /destroy|delete/.test(line))).toBe(false);
  });

  it('that cannot be read again afterwards says that too', async () => {
    const down = { code: 1, stderr: 'Error: daemon is gone' };
    const { host } = fakeHost({ 'incus config set': {}, 'incus snapshot create': down, 'incus query': down });
    await expect(cutSet(host, { name, mark, volumes: [incusVolume('redis')] })).rejects.toMatchObject({
      detail: { next: expect.stringContaining('could not be read') },
    });
    const after = fakeHost({ 'incus config set': {}, 'incus snapshot create': {}, 'incus query': down });
    await expect(cutSet(after.host, { name, mark, volumes: [incusVolume('redis')] })).rejects.toThrow('Incus did not tell its snapshots');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['it is not there when read again', () => cutWith({ 'incus query': { stdout: incusJson([], ['redis']) } }, [incusVolume('redis')])],
    [
      'it has no snapshot of minio',
      () => cutWith({ 'incus query': { stdout: incusJson(['redis'], ['redis', 'minio']) } }, [incusVolume('redis'), incusVolume('minio')]),
    ],
    [
      'Incus would delete it by itself',
      () => cutWith({ 'incus query': { stdout: incusJson(['redis'], ['redis'], '2026-11-24T05:47:02Z') } }, [incusVolume('redis')]),
    ],
    [
      'of different moments',
      () =>
        cutWith({ 'zfs get': { stdout: zfsGet([zfsVolume('a'), zfsVolume('b')], ['a', 'b'], (i) => i) } }, [
          zfsVolume('a'),
          zfsVolume('b'),
        ]),
    ],
  ])('is refused as a restore point when %s', async (message, cut) => {
    const error = await cut().catch((caught) => caught);
    expect(error).toBeInstanceOf(SafetyError);
    expect(error.message).toContain(message);
  });

  function cutWith(answers: Parameters<typeof fakeHost>[0], volumes: Volume[]) {
    return cutSet(fakeHost({ ...zpools, 'zfs snapshot': {}, 'incus config set': {}, 'incus snapshot create': {}, ...answers }).host, {
      name,
      mark,
      volumes,
    });
  }
});

describe('prune', () => {
  const zfs = (instance: string, snapshot: string): SetMember => ({
    kind: 'zfs',
    instance,
    project: 'default',
    dataset: `tank/containers/${instance}`,
    snapshot,
    cutAt: '',
    createtxg: 1,
    used: 0,
    written: 0,
    holds: 0,
    clones: [],
  });
  const incus = (instance: string, snapshot: string): SetMember => ({ kind: 'incus', instance, project: 'default', snapshot, cutAt: '' });
  const doomed = (id: string, release: string, members: SetMember[]): PruneDecision => ({
    ...{ keep: false, because: [] },
    set: {
      id,
      release,
      name: `pre-deploy-${release}`,
      environment: 'prod',
      tool: '0',
      intended: [],
      missing: [],
      cutAt: '',
      members,
    } satisfies SnapshotSet,
  });
  const one = doomed('r1', A, [zfs('redis', name), zfs('minio', name)]);
  const two = doomed('r2', B, [zfs('redis', `pre-deploy-${B}`), zfs('minio', `pre-deploy-${B}`)]);

  it('asks nothing when nothing goes', async () => {
    const { host, asked } = fakeHost({});
    const report = await pruneSets(
      host,
      [{ ...one, keep: true, because: ['it is held'] }],
      [{ where: 'redis/x', because: 'it has no mark' }],
    );
    expect(asked).toEqual([]);
    expect(report.sentences).toEqual(['keep pre-deploy-aaaaaaaaaaaa: it is held', 'keep redis/x: it is not ours: it has no mark']);
  });

  it('destroys in one round trip, one call a dataset', async () => {
    const { host, asked } = fakeHost({ 'zfs destroy': {} });
    const report = await pruneSets(host, [one, two]);
    expect(asked).toEqual([['redis', 'minio'].map((instance) => `zfs destroy tank/containers/${instance}@${name},pre-deploy-${B}`)]);
    expect(report.sentences.slice(2)).toEqual(['destroyed pre-deploy-aaaaaaaaaaaa', 'destroyed pre-deploy-bbbbbbbbbbbb']);
  });

  it('keeps the one that is held meanwhile, goes on with the rest, and reports it', async () => {
    const held = `cannot destroy snapshot tank/containers/redis@${name}: it's being held. Run 'zfs holds -r tank/containers/redis@${name}' to see holders.\n`;
    const { host, asked } = fakeHost({ [`zfs destroy tank/containers/redis@${name},`]: { code: 1, stderr: held }, 'zfs destroy': {} });
    const report = await pruneSets(host, [one, two]);
    expect(asked[1]).toEqual([`zfs destroy tank/containers/redis@pre-deploy-${B}`]);
    expect(report.destroyed.map(({ id }) => id)).toEqual(['r2']);
    expect(report.stuck).toEqual([{ where: `tank/containers/redis@${name}`, because: expect.stringContaining("it's being held") }]);
  });

  it('tries each for itself when ZFS names none, and is not fatal', async () => {
    const { host, asked } = fakeHost({ 'zfs destroy': { code: 1, stderr: 'cannot destroy snapshots: permission denied\n' } });
    const report = await pruneSets(host, [one, two]);
    expect(asked[1]).toHaveLength(4);
    expect(report.destroyed).toEqual([]);
    expect(report.sentences).toContain(
      `could not destroy tank/containers/minio@${name}, it stays: cannot destroy snapshots: permission denied`,
    );
  });

  it('takes what is gone already for destroyed', async () => {
    const gone = {
      code: 1,
      stderr: 'Error: Failed to fetch snapshot "x" of instance "redis" in project "default": Instance_snapshot not found\n',
    };
    const { host, asked } = fakeHost({
      'incus snapshot delete redis': gone,
      'incus snapshot delete minio': { code: 1, stderr: 'Error: boom\n' },
    });
    const report = await pruneSets(host, [doomed('r1', A, [incus('redis', name)]), doomed('r2', B, [incus('minio', `pre-deploy-${B}`)])]);
    expect(asked).toHaveLength(1);
    expect(report).toMatchObject({ destroyed: [{ id: 'r1' }], stuck: [{ where: `minio/pre-deploy-${B}`, because: 'Error: boom' }] });
  });
});

describe('coverage', () => {
  it('is by what Incus says of the pool', () => {
    const instance = (of: string, pool: string, uuid?: string) => ({
      ...{ name: of, project: 'veza', config: uuid === undefined ? {} : { 'volatile.uuid': uuid } },
      expanded_devices: { root: { type: 'disk', path: '/', pool } },
    });
    const pool = (of: string, driver: string, config: Record<string, string> = {}) => ({ name: of, driver, status: 'Created', config });
    const pools = [pool('z', 'zfs', { 'zfs.pool_name': 'tank/incus' }), pool('b', 'btrfs'), pool('d', 'dir')];
    const { volumes, without } = coverage(
      [instance('a', 'z', 'u1'), instance('b', 'b', 'u2'), instance('c', 'd', 'u3'), instance('d', 'b')],
      pools,
    );
    expect(volumes).toEqual([
      { kind: 'zfs', instance: 'a', project: 'veza', uuid: 'u1', pool: 'z', dataset: 'tank/incus/containers/veza_a' },
      { kind: 'incus', instance: 'b', project: 'veza', uuid: 'u2', pool: 'b' },
    ]);
    expect(without.map(({ instance: of }) => of)).toEqual(['c', 'd']);
    expect(() => coverage([instance('a', 'nope', 'u')], pools)).toThrow(MooringError);
    expect(restorePointCommands(volumes)).toEqual<Command[]>([zpoolsFact.command, datasetsCommand(['tank/incus/containers/veza_a'])]);
    expect(restorePointCommands(volumes.slice(1))).toEqual([]);
    expect(instancesCommand('a b').argv).toEqual(['incus', 'query', '/1.0/instances?recursion=2&project=a%20b']);
  });
});
