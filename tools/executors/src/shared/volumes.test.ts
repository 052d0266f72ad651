import { describe, expect, it } from 'vitest';
import type { Command } from '../engine/command.ts';
import { MooringError } from '../engine/errors.ts';
import { incus } from '../platforms/incus/command.ts';
import { instancesCommand } from '../platforms/incus/snapshots.ts';
import { datasetsCommand, zpoolsFact } from '../platforms/zfs/facts.ts';
import { coverage, restorePointCommands } from './volumes.ts';

describe('coverage', () => {
  const instance = (of: string, pool: string, uuid?: string) => ({
    ...{ name: of, project: 'veza', config: (uuid === undefined ? {} : { 'volatile.uuid': uuid }) as Record<string, string> },
    expanded_devices: { root: { type: 'disk', path: '/', pool } },
  });
  const pool = (of: string, driver: string, config: Record<string, string> = {}) => ({ name: of, driver, status: 'Created', config });
  const pools = [pool('z', 'zfs', { 'zfs.pool_name': 'tank/incus' }), pool('b', 'btrfs'), pool('d', 'dir')];

  it('is by what Incus says of the pool', () => {
    const { volumes, without } = coverage(
      [instance('a', 'z', 'u1'), instance('b', 'b', 'u2'), instance('c', 'd', 'u3'), instance('d', 'b')],
      { pools, projects: [], instances: [] },
    );
    expect(volumes).toEqual([
      { kind: 'zfs', instance: 'a', project: 'veza', uuid: 'u1', pool: 'z', dataset: 'tank/incus/containers/veza_a' },
      { kind: 'incus', instance: 'b', project: 'veza', uuid: 'u2', pool: 'b' },
    ]);
    expect(without.map(({ instance: of }) => of)).toEqual(['c', 'd']);
    expect(() => coverage([instance('a', 'nope', 'u')], { pools, projects: [], instances: [] })).toThrow(MooringError);
    expect(restorePointCommands(volumes)).toEqual<Command[]>([zpoolsFact.command, datasetsCommand(['tank/incus/containers/veza_a'])]);
    expect(restorePointCommands(volumes.slice(1))).toEqual([]);
    expect(instancesCommand('a b').argv).toEqual(incus('query', '/1.0/instances?recursion=2&project=a%20b'));
  });

  it('has the custom volumes that are attached, each once', () => {
    const attached = (of: string, devices: Record<string, Record<string, string>>) => {
      const base = instance(of, 'z', `u-${of}`);
      return { ...base, expanded_devices: { ...base.expanded_devices, ...devices } };
    };
    const disk = (pool: string, source: string) => ({ type: 'disk', pool, source, path: '/srv' });
    const withVolumes = [
      attached('y', { data: disk('z', 'shared'), again: disk('z', 'shared/sub') }),
      attached('x', { data: disk('z', 'shared'), more: disk('b', 'blobs'), host: { type: 'disk', source: '/etc', path: '/mnt' } }),
      attached('w', { data: disk('d', 'copied'), odd: disk('z', 'a b') }),
    ];
    const stranger = attached('stranger', { data: disk('b', 'blobs') });
    const project = (features: string) => [{ name: 'veza', config: { 'features.storage.volumes': features } }];
    const covered = coverage(withVolumes, { pools, projects: project('true'), instances: [...withVolumes, stranger] });
    expect(covered.volumes.slice(3)).toEqual([
      { kind: 'incus', instance: 'x', volume: 'blobs', project: 'veza', uuid: 'u-x', pool: 'b', sharedWith: ['stranger'] },
      {
        ...{ kind: 'zfs', instance: 'x', volume: 'shared', project: 'veza', uuid: 'u-x', pool: 'z', sharedWith: ['y'] },
        dataset: 'tank/incus/custom/veza_shared',
      },
    ]);
    expect(covered.without).toEqual([
      { instance: 'w', volume: 'a b', pool: 'z', because: expect.stringContaining('"a b" is not plain') },
      { instance: 'w', volume: 'copied', pool: 'd', because: expect.stringContaining('dir pool') },
    ]);
    // A project without volumes of its own uses those of the default one.
    const elsewhere = coverage(withVolumes.slice(1, 2), { pools, projects: project('false'), instances: [] });
    expect(elsewhere.volumes.at(-1)).toMatchObject({ dataset: 'tank/incus/custom/default_shared' });
    expect(restorePointCommands(covered.volumes).map(({ argv }) => argv.at(-1))).toEqual([
      'name,size,allocated,free,health',
      'tank/incus/custom/veza_shared',
      '/1.0/storage-pools/b/volumes/custom/blobs/snapshots?recursion=1&project=veza',
    ]);
    expect(() => coverage([attached('x', { data: disk('gone', 'v') })], { pools, projects: [], instances: [] })).toThrow('pool gone');
  });
});
