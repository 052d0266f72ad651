import { describe, expect, it } from 'vitest';
import { type CommandResult, type Host, write } from '../engine/command.ts';
import { SafetyError, showError } from '../engine/errors.ts';
import { INCUS } from '../platforms/incus/command.ts';
import { MARKS } from '../platforms/zfs/properties.ts';
import type { Volume } from '../snapshots/set.ts';
import { cutSet } from './cut-set.ts';

const A = 'a'.repeat(40);
const name = `pre-deploy-${A}`;
const mark = { id: 'run-1', release: A, environment: 'prod', tool: '0.1.0' };

/** A host that answers by the command line and throws at one that nobody expected. */
function fakeHost(answers: Record<string, Partial<CommandResult>>) {
  const asked: string[][] = [];
  const host: Host = {
    name: 'fake',
    async run(batch, order) {
      asked.push(batch.map(({ argv }) => argv.join(' ')));
      const results: CommandResult[] = [];
      for (const command of batch) {
        const key = Object.keys(answers).find((prefix) => command.argv.join(' ').startsWith(prefix));
        if (key === undefined) throw new Error(`nobody expected: ${command.argv.join(' ')}`);
        const result = { command, code: 0, stdout: '', stderr: '', ...answers[key] };
        results.push(result);
        if (order === 'sequence' && result.code !== 0) break;
      }
      return results;
    },
    putFile: () => Promise.reject(new Error('nobody expected a file')),
  };
  return { host, asked };
}

function zfsVolume(instance: string, pool = 'tank'): Volume & { dataset: string } {
  return { kind: 'zfs', instance, project: 'default', uuid: `uuid-${instance}`, pool, dataset: `${pool}/containers/${instance}` };
}

function incusVolume(instance: string): Volume {
  return { kind: 'incus', instance, project: 'default', uuid: `uuid-${instance}`, pool: 'lab' };
}

/** `zfs get` of datasets that have one snapshot each, marked as a set of `intended`. */
function zfsGet(volumes: (Volume & { dataset: string })[], intended: string[], txg: (i: number) => number = () => 7): string {
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
    const report = await cutSet(host, { name, mark, instances: [], volumes, first: [write(['audit'])] });
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
      ...{ ...zpools, 'zfs snapshot': {}, [`${INCUS} config set`]: {}, [`${INCUS} snapshot create`]: {} },
      ...{ 'zfs get': { stdout: zfsGet([redis, minio], all, (i) => 7 + i) }, [`${INCUS} query`]: { stdout: incusJson(all, all) } },
    });
    expect(
      (await cutSet(host, { name, mark, instances: [], volumes: [redis, minio, incusVolume('rabbit'), incusVolume('postgres')] }))
        .sentences,
    ).toEqual([
      'cut pre-deploy-aaaaaaaaaaaa of minio, postgres, rabbit, redis',
      'not in one moment: ZFS cuts the pools fast, tank one after the other',
      'not in one moment: some volumes are on ZFS, others are cut by Incus',
      'not in one moment: Incus cuts one volume after the other (1.00 s from the first to the last)',
    ]);
  });

  it('that fails half way leaves what it cut, and says what', async () => {
    const volumes = [incusVolume('redis'), incusVolume('minio')];
    const full = { code: 1, stderr: 'Error: no space left on device\n' };
    const { host, asked } = fakeHost({
      ...{ [`${INCUS} config set`]: {}, [`${INCUS} snapshot create redis`]: {}, [`${INCUS} snapshot create minio`]: full },
      [`${INCUS} query`]: { stdout: incusJson(['redis'], ['redis', 'minio']) },
    });
    const error = await cutSet(host, { name, mark, instances: [], volumes }).catch((caught) => caught);
    expect(showError(error)).toBe(`could not cut the restore point ${name}; nothing else was changed
  where:   host fake, step snapshot
  command: ${INCUS} snapshot create minio ${name} --no-expiry --project default (exit code 1)
  stderr:  Error: no space left on device
  next:    the snapshots of redis are kept; minio has none. Fix the cause, then run the same command again: it cuts a new one
  more:    docs/errors.md#restore-points`);
    expect(asked.flat().some((line) => /destroy|delete/.test(line))).toBe(false);
  });

  it('that another process of the same run is making is waited for, and taken', async () => {
    const volumes = [incusVolume('redis'), incusVolume('minio')];
    const taken = { code: 1, stderr: 'Error: UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name\n' };
    const answers = {
      ...{ [`${INCUS} config set`]: {}, [`${INCUS} snapshot create`]: taken },
      [`${INCUS} query`]: { stdout: incusJson(['redis'], ['redis', 'minio']) },
    };
    const { host, asked } = fakeHost(answers);
    let pauses = 0;
    const report = await cutSet(host, { name, mark, instances: [], volumes }, async () => {
      pauses++;
      answers[`${INCUS} query`] = { stdout: incusJson(['redis', 'minio'], ['redis', 'minio']) };
    });
    expect(report.sentences).toEqual(['pre-deploy-aaaaaaaaaaaa was cut by another process of this run']);
    expect(report.set).toMatchObject({ id: 'run-1', missing: [] });
    expect([pauses, asked.length]).toEqual([1, 3]);
  });

  it('that another process of the same run has only just begun, for which Incus is busy, is waited for as well', async () => {
    const busy = {
      code: 1,
      stderr: 'Error: Failed creating instance snapshot record "x": Instance is busy running a "create" operation\n',
    };
    const answers = {
      [`${INCUS} config set`]: {},
      [`${INCUS} snapshot create`]: busy,
      [`${INCUS} query`]: { stdout: incusJson([], ['redis']) },
    };
    const { host } = fakeHost(answers);
    const report = await cutSet(host, { name, mark, instances: [], volumes: [incusVolume('redis')] }, async () => {
      answers[`${INCUS} query`] = { stdout: incusJson(['redis'], ['redis']) };
    });
    expect(report.sentences).toEqual(['pre-deploy-aaaaaaaaaaaa was cut by another process of this run']);
  });

  it('of an instance of which somebody else makes a snapshot fails, and says that none was cut', async () => {
    const busy = { code: 1, stderr: 'Error: Instance is busy running a "create" operation\n' };
    const { host } = fakeHost({
      ...{ [`${INCUS} config set`]: {}, [`${INCUS} snapshot create`]: busy },
      [`${INCUS} query`]: { stdout: incusJson([], ['redis']) },
    });
    const request = { name, mark, instances: [], volumes: [incusVolume('redis')] };
    await expect(cutSet(host, request, async () => {})).rejects.toMatchObject({
      detail: { stderr: expect.stringContaining('busy'), next: expect.stringMatching(/^nothing was cut\./) },
    });
  });

  it('whose name another run has taken meanwhile fails', async () => {
    const taken = { code: 1, stderr: 'Error: snapshot already exists\n' };
    const other = incusJson(['redis'], ['redis']).replaceAll('run-1', 'run-2');
    const { host } = fakeHost({ [`${INCUS} config set`]: {}, [`${INCUS} snapshot create`]: taken, [`${INCUS} query`]: { stdout: other } });
    await expect(cutSet(host, { name, mark, instances: [], volumes: [incusVolume('redis')] })).rejects.toMatchObject({
      detail: { next: expect.stringContaining('something else has made a snapshot of that name meanwhile; nothing was cut') },
    });
  });

  it('that cannot be read again afterwards says that too', async () => {
    const down = { code: 1, stderr: 'Error: daemon is gone' };
    const { host } = fakeHost({ [`${INCUS} config set`]: {}, [`${INCUS} snapshot create`]: down, [`${INCUS} query`]: down });
    await expect(cutSet(host, { name, mark, instances: [], volumes: [incusVolume('redis')] })).rejects.toMatchObject({
      detail: { next: expect.stringContaining('could not be read') },
    });
    const after = fakeHost({ [`${INCUS} config set`]: {}, [`${INCUS} snapshot create`]: {}, [`${INCUS} query`]: down });
    await expect(cutSet(after.host, { name, mark, instances: [], volumes: [incusVolume('redis')] })).rejects.toThrow(
      'Incus did not report its snapshots',
    );
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'it is not there when read again',
      () => cutWith({ [`${INCUS} query`]: { stdout: incusJson([], ['redis']) } }, [incusVolume('redis')]),
    ],
    [
      'it has no snapshot of minio',
      () =>
        cutWith({ [`${INCUS} query`]: { stdout: incusJson(['redis'], ['redis', 'minio']) } }, [incusVolume('redis'), incusVolume('minio')]),
    ],
    [
      'Incus would delete it by itself',
      () => cutWith({ [`${INCUS} query`]: { stdout: incusJson(['redis'], ['redis'], '2026-11-24T05:47:02Z') } }, [incusVolume('redis')]),
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
    const error = await cut().catch((caught: unknown) => caught);
    if (!(error instanceof SafetyError)) throw error;
    expect(error.message).toContain(message);
  });

  function cutWith(answers: Parameters<typeof fakeHost>[0], volumes: Volume[]) {
    return cutSet(
      fakeHost({ ...zpools, 'zfs snapshot': {}, [`${INCUS} config set`]: {}, [`${INCUS} snapshot create`]: {}, ...answers }).host,
      {
        name,
        mark,
        volumes,
        instances: [],
      },
    );
  }
});
