import { describe, expect, it } from 'vitest';
import type { InstanceState } from '../../snapshots/backend.ts';
import { cutOnZfs } from './commands.ts';
import { instanceMark, instanceMarkFact } from './instance-mark.ts';
import type { ZfsVolume } from './volume.ts';

const A = 'a'.repeat(40);
const state: InstanceState = {
  name: 'veza-redis',
  config: {
    'limits.memory': '1GiB',
    'boot.autostart': 'true',
    'security.protection.delete': 'true',
    'volatile.uuid': 'uuid-r',
    'volatile.idmap.base': '0',
    'volatile.last_state.idmap': '[{"Isuid":true,"Hostid":1000000,"Nsid":0,"Maprange":65536}]',
    'user.mooring.release': A,
    'user.secret': 'hidden',
    'environment.TOKEN': 'hidden',
    'raw.lxc': 'hidden',
    'cloud-init.user-data': 'hidden',
  },
  devices: { data: { type: 'disk', pool: 'default', source: 'v', path: '/srv' } },
  profiles: ['veza-data'],
};
const root: ZfsVolume = {
  ...{ kind: 'zfs', instance: 'veza-redis', project: 'default', uuid: 'uuid-r', pool: 'default' },
  dataset: 'tank/containers/veza-redis',
};
const custom: ZfsVolume = { ...root, volume: 'blobs', dataset: 'tank/custom/default_blobs' };
const mark = { id: 'r', release: A, environment: 'prod', tool: '0' };
const property = 'mooring:instance.veza-redis';

describe('the mark of an instance', () => {
  it('has what a roll-back compares, and nothing that may be secret', () => {
    expect(JSON.parse(instanceMark(state))).toEqual({
      uuid: 'uuid-r',
      idmap: state.config['volatile.last_state.idmap'],
      release: A,
      config: { 'limits.memory': '1GiB', 'boot.autostart': 'true', 'security.protection.delete': 'true', 'volatile.idmap.base': '0' },
      devices: state.devices,
      profiles: ['veza-data'],
    });
    expect(instanceMark(state)).not.toContain('hidden');
  });

  it('is set by the cut itself, once for an instance, beside the custom volumes of the set', () => {
    const other = { ...state, name: 'not-in-the-set' };
    const [command, ...more] = cutOnZfs([root, custom], {
      name: `pre-deploy-${A}`,
      mark,
      members: [root, custom],
      instances: [state, other],
    });
    expect(more).toEqual([]);
    expect(command?.argv.slice(-5)).toEqual([
      'mooring:members={"veza-redis":"uuid-r","veza-redis/blobs":"uuid-r"}',
      '-o',
      `${property}=${instanceMark(state)}`,
      `tank/containers/veza-redis@pre-deploy-${A}`,
      `tank/custom/default_blobs@pre-deploy-${A}`,
    ]);
  });

  it('that ZFS could not hold is refused before anything is cut', () => {
    const cut = (one: InstanceState) => () =>
      cutOnZfs([{ ...root, instance: one.name }], { name: `pre-deploy-${A}`, mark, members: [root], instances: [one] });
    const long = { ...state, config: { ...state.config, 'limits.x': 'x'.repeat(9000) } };
    expect(cut(long)).toThrow(/the mark mooring:instance\.veza-redis would have 9\d+ bytes, a ZFS property holds 8192/);
    expect(cut({ ...state, name: 'Veza' })).toThrow('cannot be part of a ZFS property');
    expect(cut({ ...state, config: {} })).toThrow('has no volatile.uuid');
  });

  it('is read with its source', () => {
    const fact = instanceMarkFact(`tank/x@pre-deploy-${A}`, 'veza-redis');
    const answer = (stdout: string, code = 0) => ({ command: fact.command, code, stdout, stderr: '' });
    expect(fact.command.argv).toEqual(['zfs', 'get', '-Hp', '-o', 'value,source', property, `tank/x@pre-deploy-${A}`]);
    expect(fact.parse(answer(`${instanceMark(state)}\tlocal\n`))).toMatchObject({ source: 'local', mark: { uuid: 'uuid-r', release: A } });
    expect(fact.parse(answer(`${instanceMark(state)}\treceived\n`))).toMatchObject({ source: 'received' });
    expect(fact.parse(answer('-\t-\n'))).toBe('absent');
    for (const odd of ['', '{}\tlocal\n', 'x\tlocal\n', `${instanceMark(state)}\n`])
      expect(() => fact.parse(answer(odd))).toThrow('not understood');
    expect(() => fact.parse(answer('', 1))).toThrow('could not read the marks');
  });
});
