import { expect, it } from 'vitest';
import type { Container } from '../../snapshots/rollback.ts';
import { NEXT, type Observed, observed } from './go-back.ts';
import { ROLLBACK_KEY } from './restore.ts';

it('what Incus restores is restored once, and taken back only where it was', () => {
  const container = (key: string | undefined, cutBy: string | undefined) =>
    ({
      instance: { name: 'x', config: key === undefined ? {} : { [ROLLBACK_KEY]: key } },
      sets: cutBy === undefined ? [] : [{ id: cutBy, members: [{ instance: 'x' }] }],
    }) as unknown as Container;
  const set = { kind: 'set', set: {} as never, release: undefined } as const;
  const undo = { kind: 'undo', run: 'undone', set: undefined } as const;
  const rows: readonly (readonly [Observed, Container, typeof set | typeof undo])[] = [
    ['not begun', container(undefined, undefined), set],
    ['not begun', container('r', undefined), set],
    ['not begun', container(undefined, undefined), undo],
    ['begun', container('r', 'r'), set],
    ['restored', container(undefined, 'r'), set],
    ['restored', container('another', 'r'), undo],
    ['never reached', container('undone', undefined), undo],
  ];
  for (const [state, seen, goal] of rows) expect(observed(seen, { goal, runId: 'r' })).toBe(state);
  expect([...new Set(rows.map(([state]) => state))].sort()).toEqual(Object.keys(NEXT).sort());
  expect(NEXT).toEqual({
    'not begun': { 'goes on': 'restore', 'is taken back': 'nothing' },
    begun: { 'goes on': 'restore', 'is taken back': 'nothing' },
    restored: { 'goes on': 'nothing', 'is taken back': 'restore' },
    'never reached': { 'goes on': 'nothing', 'is taken back': 'nothing' },
  });
});
