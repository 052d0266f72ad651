import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSetName, parseSetName, requireSetName, shortName } from './name.ts';
import { compareSets, restorePoints, type SetMark, type SetMember } from './set.ts';
import { acceptNoRestorePoint } from './support.ts';
import { secondsBetween, sortableTime, timeOfSeconds } from './time.ts';

const A = 'a'.repeat(40);
const mark: SetMark = { id: 'r1', release: A, environment: 'prod', tool: '0.1.0', intended: ['a', 'b'] };

function zfs(instance: string, snapshot: string, createtxg: number, cutAt: string, pool = 'tank'): SetMember {
  return {
    kind: 'zfs',
    instance,
    project: 'default',
    dataset: `${pool}/${instance}`,
    snapshot,
    createtxg,
    cutAt,
    used: 0,
    written: 0,
    holds: 0,
    clones: [],
  };
}

describe('names', () => {
  it('have the release, and a suffix from the second on', () => {
    expect(parseSetName(`pre-deploy-${A}`)).toEqual({ kind: 'deploy', release: A, ordinal: 1 });
    expect(parseSetName(`pre-deploy-${A}-12`)).toEqual({ kind: 'deploy', release: A, ordinal: 12 });
    for (const other of [
      'pre-deploy-aaa',
      `pre-deploy-${A}-1`,
      `pre-deploy-${A}-02`,
      `pre-deploy-${A} `,
      `pre-deploy-${A}\n`,
      `x-pre-deploy-${A}`,
      `pre-deploy-${A.toUpperCase()}`,
    ]) {
      expect(parseSetName(other)).toBeUndefined();
      expect(() => requireSetName(other)).toThrow();
    }
    expect(shortName(`pre-deploy-${A}-2`)).toBe('pre-deploy-aaaaaaaaaaaa-2');
  });

  it('are beyond all that are taken', () => {
    expect(nextSetName(A, [])).toBe(`pre-deploy-${A}`);
    expect(nextSetName(A, [`pre-deploy-${'b'.repeat(40)}-7`, 'snapshot-x'])).toBe(`pre-deploy-${A}`);
    expect(nextSetName(A, [`pre-deploy-${A}`])).toBe(`pre-deploy-${A}-2`);
    expect(nextSetName(A, [`pre-deploy-${A}-4`])).toBe(`pre-deploy-${A}-5`);
    expect(() => nextSetName('main', [])).toThrow('40 lower-case');
  });
});

describe('times', () => {
  it('sort as text, whatever Go leaves out', () => {
    const ordered = [
      '2026-11-23T05:23:43Z',
      '2026-11-23T05:23:43.5Z',
      '2026-11-23T05:23:43.537634691Z',
      '2026-11-23T06:23:44+01:00',
      '2026-11-23T05:23:45Z',
    ];
    const sortable = ordered.map(sortableTime);
    expect([...sortable].sort()).toEqual(sortable);
    expect(sortable[3]).toBe('2026-11-23T05:23:44.000000000Z');
    expect(timeOfSeconds(1795330400)).toBe('2026-11-22T06:53:20.000000000Z');
    expect(secondsBetween(sortable[1] as string, sortable[4] as string)).toBeCloseTo(1.5);
    for (const bad of ['yesterday', '2026-11-23', '2026-13-45T05:23:43Z']) expect(() => sortableTime(bad)).toThrow('not a time');
  });
});

describe('sets', () => {
  it('are newest first by createtxg, though the clock went back', () => {
    const early = { mark, member: zfs('a', `pre-deploy-${A}`, 10, '2026-01-02T00:00:00.000000000Z') };
    const late = { mark: { ...mark, id: 'r2' }, member: zfs('a', `pre-deploy-${A}-2`, 11, '2026-01-01T00:00:00.000000000Z') };
    const { sets } = restorePoints([{ members: [early, late], strays: [], taken: [] }]);
    expect(sets.map(({ id, missing }) => [id, missing])).toEqual([
      ['r2', ['b']],
      ['r1', ['b']],
    ]);
  });

  it('are compared by the clock where they share no pool', () => {
    const make = (id: string, pool: string, txg: number, cutAt: string) =>
      restorePoints([
        { members: [{ mark: { ...mark, id }, member: zfs('a', `pre-deploy-${A}`, txg, cutAt, pool) }], strays: [], taken: [] },
      ]).sets[0];
    const [x, y] = [make('r1', 'tank', 99, '2026-01-01T00:00:00.000000000Z'), make('r2', 'fast', 1, '2026-01-02T00:00:00.000000000Z')];
    if (x === undefined || y === undefined) throw new Error('no set');
    expect(compareSets(x, y)).toBeLessThan(0);
    expect(compareSets(y, x)).toBeGreaterThan(0);
  });

  it('keep all members, whatever their order', () => {
    const members = ['a', 'b', 'c'].map((one) => ({
      mark: { ...mark, intended: ['a', 'b', 'c'] },
      member: zfs(one, `pre-deploy-${A}`, 5, '2026-01-01T00:00:00.000000000Z'),
    }));
    fc.assert(
      fc.property(fc.shuffledSubarray(members, { minLength: 1 }), (some) => {
        const { sets } = restorePoints(some.map((member) => ({ members: [member], strays: [], taken: [] })));
        expect(sets).toHaveLength(1);
        expect([...(sets[0]?.members.map(({ instance }) => instance) ?? []), ...(sets[0]?.missing ?? [])].sort()).toEqual(['a', 'b', 'c']);
      }),
    );
  });
});

describe('pools', () => {
  it('without any are accepted in local, or by name', () => {
    const without = [{ instance: 'veza-redis', because: 'pool labdir is a dir pool' }];
    expect(acceptNoRestorePoint({ name: 'prod', allowNoRestorePoint: false }, [])).toBeUndefined();
    expect(acceptNoRestorePoint({ name: 'local', allowNoRestorePoint: false }, without)).toBe(
      'NO RESTORE POINT for veza-redis: pool labdir is a dir pool',
    );
    expect(acceptNoRestorePoint({ name: 'prod', allowNoRestorePoint: true }, without)).toContain('NO RESTORE POINT');
    expect(() => acceptNoRestorePoint({ name: 'prod', allowNoRestorePoint: false }, without)).toThrow('NO RESTORE POINT for veza-redis');
  });
});
