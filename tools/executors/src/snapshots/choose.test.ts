import { describe, expect, it } from 'vitest';
import { chooseBefore, chooseLeft, chooseTo, describeState } from './choose.ts';
import type { DeployEntry } from './history.ts';
import type { PreservedState } from './preserved.ts';
import type { SnapshotSet } from './set.ts';
import { timeOfSeconds } from './time.ts';

const [A, B] = ['a'.repeat(40), 'b'.repeat(40)];

function set(id: string, name: string, at: number, kind: 'zfs' | 'incus' = 'incus'): SnapshotSet {
  const cutAt = timeOfSeconds(at);
  const base = { instance: 'redis', project: 'p', snapshot: name, cutAt };
  const member =
    kind === 'incus'
      ? { ...base, kind, pool: 'lab', keepsPresent: true as const }
      : { ...base, kind, dataset: 'tank/redis', createtxg: at, used: 0, written: 0, holds: 0, clones: [] };
  const release = /[ab]{40}/.exec(name)?.[0] as string;
  return { id, name, release, environment: 'prod', tool: '1', intended: ['redis'], missing: [], cutAt, members: [member] };
}

function entry(release: string, result: DeployEntry['result'], run: string, at: number): DeployEntry {
  return { release, result, run, set: run, at: new Date(at * 1000).toISOString() };
}

function state(run: string, at: number, more: Partial<PreservedState['mark']> = {}): PreservedState {
  const mark = {
    ...{ environment: 'prod', instance: 'redis', uuid: 'u', project: 'p', dataset: 'tank/redis', run, before: B, to: `pre-deploy-${B}` },
    ...{ time: new Date(at * 1000).toISOString(), local: {} },
    ...more,
  };
  return { dataset: `tank/mooring/redis-${run}`, mark };
}

describe('before a release', () => {
  const history = [entry(A, 'ok', 'r1', 11), entry(B, 'ok', 'r2', 21), entry(B, 'started', 'r3', 30)];
  const sets = [set('r3', `pre-deploy-${B}-2`, 30), set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];

  it('is the newest state that does not have that release in it yet', () => {
    const { set: found, others } = chooseBefore(sets, history, B.slice(0, 7));
    expect(found.id).toBe('r2');
    expect(others.map(({ id }) => id)).toEqual(['r3']);
    expect(describeState(found, history)).toBe('state of 1970-01-01 00:00:20 UTC, before bbbbbbbbbbbb was deployed, after aaaaaaaaaaaa');
  });

  it('after A, B, A, B is the one before the last B', () => {
    const again = [...history.slice(0, 2), entry(A, 'ok', 'r4', 41), entry(B, 'ok', 'r5', 51)];
    expect(chooseBefore([set('r5', `pre-deploy-${B}-2`, 50), ...sets.slice(1)], again, B).set.id).toBe('r5');
  });

  it('names what there is when there is none, and takes no other words for a release', () => {
    expect(() => chooseBefore(sets, history, 'c'.repeat(40))).toThrow('there are pre-deploy-bbbbbbbbbbbb-2, pre-deploy-bbbbbbbbbbbb');
    for (const word of ['HEAD', 'b'.repeat(6), 'B'.repeat(40), `${B}0`])
      expect(() => chooseBefore(sets, history, word)).toThrow('--before');
  });
});

it('finds a restore point by its full name and by the one that tables show', () => {
  const sets = [set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];
  for (const name of [`pre-deploy-${A}`, 'pre-deploy-aaaaaaaaaaaa']) expect(chooseTo(sets, name).set.id).toBe('r1');
  expect(() => chooseTo(sets, 'pre-deploy-aaa')).toThrow('there is no restore point pre-deploy-aaa');
});

describe('undo', () => {
  it('brings back what the last roll-back left, and not what it tried in vain', () => {
    const kept = [state('r7', 70), state('r8', 80, { failed: true }), state('r6', 60), state('r9', 90, { instance: 'minio' })];
    expect(chooseLeft(kept, [], ['redis'])).toMatchObject({ run: 'r7', kept: [{ mark: { run: 'r7' } }] });
  });

  it('on other storage is the last restore point that a roll-back cut', () => {
    const sets = [set('r8', `pre-rollback-${B}`, 80), set('r2', `pre-deploy-${B}`, 20)];
    expect(chooseLeft([], sets, ['redis'])).toMatchObject({ run: 'r8', set: { id: 'r8' } });
    expect(() => chooseLeft([], sets.slice(1), ['redis'])).toThrow('no roll-back of redis left a state');
  });
});
