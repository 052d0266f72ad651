import { describe, expect, it } from 'vitest';
import type { Instance, Pool } from '../../engine/instance.ts';
import { incus } from '../../platforms/incus/command.ts';
import type { SetMember, SnapshotSet } from '../../snapshots/set.ts';
import { timeOfSeconds } from '../../snapshots/time.ts';
import { choosePoint, planDrill } from './plan.ts';

const A = 'a'.repeat(40);
const SNAPSHOT = `pre-deploy-${A}`;
const cutAt = timeOfSeconds(10);
const base = { instance: 'veza-redis', project: 'veza', snapshot: SNAPSHOT, cutAt };
const dataset = 'tank/incus/containers/veza_veza-redis';
const onZfs: SetMember = { ...base, kind: 'zfs', dataset, createtxg: 1, used: 0, written: 0, holds: 0, clones: [] };
const inIncus: SetMember = { ...base, kind: 'incus', pool: 'lab' };

const devices = {
  root: { type: 'disk', path: '/', pool: 'tank' },
  eth0: { type: 'nic', network: 'veza-net0' },
  blobs: { type: 'disk', pool: 'tank', source: 'blobs', path: '/srv/blobs' },
};
const live: Instance = {
  ...{ name: 'veza-redis', project: 'veza', type: 'container', status: 'Running', location: 'none', created_at: '', snapshots: [] },
  ...{ config: { 'volatile.last_state.idmap': '[]', 'user.mooring.environment': 'prod' }, expanded_config: {}, state: null },
  ...{ devices: {}, expanded_devices: devices, profiles: ['veza-data', 'veza-net'] },
};
const spec = {
  ...{ name: 'drill-veza-redis-0a1b2c', project: 'veza', live, environment: 'prod', run: '20260131T235959-0f1e2d3c4b5a' },
  ...{ snapshot: SNAPSHOT, keep: false },
};
const pool = (driver: string): Pool => ({ name: 'tank', driver, status: 'Created', config: { 'zfs.pool_name': 'tank/incus' } });

/** All words of all commands of a plan, their input too. */
function words(member: SetMember, driver: string): string[] {
  const plan = planDrill(spec, member, pool(driver), 60);
  return [...plan.clone, ...plan.start, plan.stop, plan.remove].flatMap(({ argv, stdin }) => [...argv, String(stdin ?? '')]);
}

describe('the plan of a drill', () => {
  it('lets Incus copy its own snapshot, without the network and what else is attached', () => {
    const [copy, ...more] = planDrill(spec, inIncus, pool('btrfs'), 60).clone;
    expect(more).toEqual([]);
    expect(copy?.argv.slice(0, 7)).toEqual(incus('copy', `veza-redis/${SNAPSHOT}`, spec.name));
    for (const device of ['eth0', 'blobs']) expect(copy?.argv).toContain(`${device},type=none`);
    expect(copy?.argv).not.toContain('root,type=none');
  });

  it('on ZFS gives an empty instance a clone of the snapshot', () => {
    const [create, clone] = planDrill(spec, onZfs, pool('zfs'), 60).clone;
    expect(create?.argv.slice(0, 7)).toEqual(incus('create', '--empty', spec.name));
    expect(JSON.parse(String(create?.stdin))).toMatchObject({ devices: { eth0: { type: 'none' }, blobs: { type: 'none' } } });
    expect(clone?.argv.slice(-4)).toEqual([dataset, SNAPSHOT, `tank/incus/containers/veza_${spec.name}`, spec.name]);
  });

  it.each([
    ['btrfs', inIncus],
    ['zfs', onZfs],
  ] as const)('changes nothing of the live instance on %s: its name is only read from', (driver, member) => {
    const allowed = [`veza-redis/${SNAPSHOT}`, dataset];
    expect(words(member, driver).filter((word) => /(^|[/_])veza-redis($|[/@])/.test(word) && !allowed.includes(word))).toEqual([]);
  });

  it('gives the copy none of the marks of a data container', () => {
    const [create] = planDrill(spec, onZfs, pool('zfs'), 60).clone;
    expect(String(create?.stdin)).not.toContain('user.mooring.environment');
  });

  it('tells what is not proved', () => {
    expect(planDrill(spec, inIncus, pool('btrfs'), 60).without).toEqual([
      'network (eth0)',
      'custom volume blobs on /srv/blobs: what is on it is not proved',
    ]);
  });
});

it('chooses the newest restore point that has the container, and says so when there is none', () => {
  const target = { instance: 'veza-redis', project: 'redis', environment: 'prod' };
  const set: SnapshotSet = {
    ...{ id: 'r1', name: SNAPSHOT, release: A, environment: 'prod', tool: '1', intended: ['veza-redis'], missing: [], cutAt },
    members: [inIncus],
  };
  expect(choosePoint([{ ...set, id: 'r2', members: [] }, set], [], target, undefined).set.id).toBe('r1');
  expect(choosePoint([set], [], target, A.slice(0, 7)).set.id).toBe('r1');
  expect(() => choosePoint([], [], target, undefined)).toThrow('has no restore point');
});
