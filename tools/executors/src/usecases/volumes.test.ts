import { describe, expect, it } from 'vitest';
import type { Command } from '../engine/command.ts';
import { MooringError } from '../engine/errors.ts';
import { instancesCommand } from '../platforms/incus/snapshots.ts';
import { datasetsCommand, zpoolsFact } from '../platforms/zfs/facts.ts';
import { coverage, restorePointCommands } from './volumes.ts';

describe('coverage', () => {
  it('is by what Incus says of the pool', () => {
    const instance = (of: string, pool: string, uuid?: string) => ({
      ...{ name: of, project: 'veza', config: (uuid === undefined ? {} : { 'volatile.uuid': uuid }) as Record<string, string> },
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
