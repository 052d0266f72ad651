import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CommandResult, read } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import { cutOnZfs, destroyFailure, destroyOnZfs } from './commands.ts';
import { zfsFailed } from './facts.ts';
import type { ZfsVolume } from './volume.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
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

describe('cut', () => {
  it('is one command per pool, with the same marks on all', () => {
    const fast: ZfsVolume = { ...minio, instance: 'veza-fast', uuid: 'uuid-f', dataset: 'fast/containers/prod_veza-fast' };
    expect(
      cutOnZfs([redis, minio, fast], { name: `pre-deploy-${A}`, mark, members: [redis, minio, fast], instances: [] }).map(
        ({ argv }) => argv,
      ),
    ).toEqual(
      [[redis.dataset, minio.dataset], ['fast/containers/prod_veza-fast']].map((datasets) => [
        ...[
          'zfs',
          'snapshot',
          '-o',
          `mooring:release=${A}`,
          '-o',
          'mooring:environment=prod',
          '-o',
          'mooring:set=run-1',
          '-o',
          'mooring:tool=0.1.0',
        ],
        ...['-o', 'mooring:members={"veza-redis":"uuid-r","veza-minio":"uuid-m","veza-fast":"uuid-f"}'],
        ...datasets.map((dataset) => `${dataset}@pre-deploy-${A}`),
      ]),
    );
  });

  it('is atomic: one createtxg, and nothing at all if a dataset is missing', () => {
    const txgs = recorded('zt4', 'incus init base m1').match(/\t(\d+)/g);
    expect(txgs).toEqual(['\t619', '\t619']);
    const failed = answer(
      '',
      recorded('zt4', 'zfs snapshot tank/incus/containers/m1@at tank/incus/containers/nope@at').split('tank/incus/containers/c1@t1')[0],
      2,
    );
    expect(zfsFailed(failed, 'could not cut').detail.stderr).toContain('For further help');
  });

  it('tells a user without the right what to type', () => {
    const failed = answer(
      '',
      recorded('zt6', 'setpriv --reuid nx --regid nx --init-groups --reset-env zfs snapshot tank/incus/containers/z1@u1'),
      1,
    );
    expect(failed.stderr).toBe('cannot create snapshots : permission denied\n');
    expect(zfsFailed(failed, 'could not cut').detail.next).toContain('zfs allow -u <user> snapshot,');
  });

  it.each(['tank', 'tank/x@y', '-r/x', 'tank/x,y', 'tank/x%y', 'tank//x', '/x', ''])('refuses %j as a dataset', (dataset) => {
    expect(() => cutOnZfs([{ ...redis, dataset }], { name: `pre-deploy-${A}`, mark, members: [redis], instances: [] })).toThrow(InputError);
    expect(() => destroyOnZfs(dataset, [`pre-deploy-${A}`])).toThrow(InputError);
  });

  it('refuses what does not fit into a property', () => {
    const many = Array.from(
      { length: 200 },
      (_, i): ZfsVolume => ({ ...redis, instance: `veza-prod-${i}`, uuid: '820139a8-f1a4-49b4-8f2c-97acdcf9e10c' }),
    );
    expect(() => cutOnZfs(many, { name: `pre-deploy-${A}`, mark, members: many, instances: [] })).toThrow('too many');
    expect(() => cutOnZfs([redis], { name: `pre-deploy-${A}`, mark: { ...mark, tool: 'a\tb' }, members: [redis], instances: [] })).toThrow(
      'tabs',
    );
  });
});

describe('destroy', () => {
  it('names snapshots of one dataset, and never more', () => {
    expect(destroyOnZfs('tank/x y', [`pre-deploy-${A}`, `pre-deploy-${B}-2`]).argv).toEqual([
      'zfs',
      'destroy',
      `tank/x y@pre-deploy-${A},pre-deploy-${B}-2`,
    ]);
    for (const names of [
      [],
      [''],
      ['nx-1'],
      ['%'],
      [`pre-deploy-${A}%`],
      [`pre-deploy-${A}`, 'snapshot-s1'],
      [`pre-deploy-${A},nx-1`],
      [`pre-deploy-${A}\n`],
    ]) {
      expect(() => destroyOnZfs('tank/x', names)).toThrow(InputError);
    }
  });

  it('tells which one is held', () => {
    const stderr = recorded('zt3', 'zfs hold nxhold');
    const failure = destroyFailure(answer('', stderr, 1), 'tank/incus/containers/d1');
    expect([...failure.byName]).toEqual([['nx-3', "it's being held. Run 'zfs holds -r tank/incus/containers/d1@nx-3' to see holders."]]);
  });

  it('tells which ones are cloned, or gone, or what else', () => {
    const cloned =
      "cannot destroy 'tank/x y@a': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\ntank/z\ncannot destroy 'tank/x y@b': snapshot has dependent clones\n";
    expect([...destroyFailure(answer('', cloned, 1), 'tank/x y').byName.keys()]).toEqual(['a', 'b']);
    const gone = destroyFailure(answer('', 'could not find any snapshots to destroy; check snapshot names.\n', 1), 'tank/x');
    expect(gone).toMatchObject({ gone: true });
    expect(destroyFailure(answer('', 'cannot open pool: I/O error\n', 1), 'tank/x')).toMatchObject({
      gone: false,
      all: 'cannot open pool: I/O error',
    });
  });
});
