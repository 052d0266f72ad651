import { describe, expect, it } from 'vitest';
import type { PreservedMark } from '../../snapshots/preserved.ts';
import type { Lineage, Lineages } from './lineage.ts';
import { type AtPreserved, type AtSnapshot, atPreserved, atSnapshot, TO_PRESERVED, TO_SNAPSHOT } from './swap.ts';

const SNAPSHOT = `pre-deploy-${'b'.repeat(40)}`;
const swap = { live: 'tank/live', kept: 'tank/kept' };
const is = (more: Partial<Lineage> = {}): Partial<Lineage> => more;

function seen(there: Readonly<Record<string, Partial<Lineage> | undefined>>): Lineages {
  const none = { origin: undefined, encryptionRoot: undefined, kept: undefined, keyLoaded: true, used: 0, available: 0, local: {} };
  return new Map(
    ['live', 'kept', 'old'].map((one) => {
      const found = there[one];
      return [`tank/${one}`, found === undefined ? ('absent' as const) : { ...none, name: `tank/${one}`, ...found }];
    }),
  );
}

describe('each state that a killed exchange can leave has its row, and each row is reached', () => {
  it('on the way to a snapshot', () => {
    const rows: readonly (readonly [AtSnapshot, Parameters<typeof seen>[0]])[] = [
      ['untouched', { live: is() }],
      ['renamed', { kept: is() }],
      ['cloned', { live: is({ origin: `tank/kept@${SNAPSHOT}` }), kept: is() }],
      ['promoted', { live: is(), kept: is({ origin: `tank/live@${SNAPSHOT}` }) }],
      ['lost', {}],
      ['not ours', { live: is(), kept: is() }],
    ];
    for (const [state, there] of rows) expect(atSnapshot(swap, SNAPSHOT, seen(there))).toBe(state);
    expect(rows.map(([state]) => state).sort()).toEqual(Object.keys(TO_SNAPSHOT).sort());
    expect(TO_SNAPSHOT).toEqual({
      untouched: ['keep', 'clone', 'promote'],
      renamed: ['free', 'clone', 'promote'],
      cloned: ['promote'],
      promoted: [],
      lost: 'lost',
      'not ours': 'unknown',
    });
  });

  it('on the way to a preserved state', () => {
    const marked = is({ kept: { run: 'r' } as PreservedMark });
    const rows: readonly (readonly [AtPreserved, Parameters<typeof seen>[0]])[] = [
      ['untouched', { live: is(), old: is() }],
      ['renamed', { kept: is(), old: is() }],
      ['crowded', { live: is(), kept: is(), old: is() }],
      ['brought back', { live: marked, kept: is() }],
      ['brought back', { live: is({ origin: 'tank/kept@x' }), kept: is() }],
      ['settled', { live: is(), kept: is() }],
      ['gone', { live: is() }],
      ['gone', { kept: is() }],
      ['gone', {}],
    ];
    for (const [state, there] of rows) expect(atPreserved(swap, 'tank/old', seen(there))).toBe(state);
    expect([...new Set(rows.map(([state]) => state))].sort()).toEqual(Object.keys(TO_PRESERVED).sort());
    expect(TO_PRESERVED).toEqual({
      untouched: ['keep', 'bring back', 'settle'],
      renamed: ['bring back', 'settle'],
      'brought back': ['settle'],
      settled: [],
      crowded: 'unknown',
      gone: 'unknown',
    });
  });
});
