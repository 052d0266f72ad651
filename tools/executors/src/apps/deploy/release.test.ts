import fc from 'fast-check';
import { expect, it } from 'vitest';
import { outdated, type Release, type ReleaseState, releaseId, rollbackTarget, showRelease } from './release.ts';

const release = (id: string, state: ReleaseState, before?: string, goodSince?: number): Release => ({
  id,
  commit: id.padEnd(40, '0'),
  state,
  before,
  goodSince: goodSince ?? (state === 'good' ? 1 : undefined),
});

it('a release is named after its time and commit, and shown so', () => {
  const id = releaseId(new Date('2026-01-31T23:59:59.999Z'), '0123456789abcdef0123456789abcdef01234567');
  expect(id).toBe('20260131T235959Z-0123456789ab');
  expect(showRelease(id)).toBe('0123456789ab of 2026-01-31 23:59:59 UTC');
  expect(showRelease('by-hand')).toBe('by-hand');
});

it('a roll-back goes to the one that was live before, over those that are gone or never were good', () => {
  const all = [release('a', 'good'), release('b', 'failed', 'a'), release('c', 'good', 'b'), release('e', 'good', 'd')];
  expect(rollbackTarget(all, 'c')?.id).toBe('a');
  expect(rollbackTarget(all, 'a')).toBeUndefined();
  expect(rollbackTarget(all, 'e')).toBeUndefined();
  expect(rollbackTarget(all, undefined)).toBeUndefined();
});

it('keeps so many good ones, the last two failed ones, and nothing unfinished', () => {
  const good = ['a', 'b', 'c', 'd', 'e'].map((id, i, ids) => release(id, 'good', ids[i - 1], i));
  const others = [
    release('f1', 'failed'),
    release('f2', 'failed'),
    release('f3', 'failed'),
    release('g', 'building'),
    release('h', 'built'),
  ];
  expect(outdated({ releases: [...good, ...others] }, 'e', 3)).toEqual(['a', 'b', 'f1', 'g', 'h']);
});

it('never takes the live one or the target of a roll-back, whatever there is', () => {
  const state = fc.constantFrom<ReleaseState>('building', 'built', 'activating', 'good', 'failed');
  const ids = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      ids,
      fc.array(state),
      fc.infiniteStream(fc.nat({ max: 12 })),
      fc.integer({ min: 2, max: 6 }),
      (names, states, picks, keep) => {
        const releases = names.map((id, i) =>
          release(id, states[i] ?? 'good', names[Number(picks.next().value)], Number(picks.next().value)),
        );
        const live = names[Number(picks.next().value)];
        const gone = outdated({ releases }, live, keep);
        expect(gone).not.toContain(live);
        expect(gone).not.toContain(rollbackTarget(releases, live)?.id);
        const rest = releases.filter(({ id }) => !gone.includes(id));
        const good = (some: readonly Release[]) => some.filter(({ state }) => state === 'good').length;
        expect(good(rest)).toBeGreaterThanOrEqual(Math.min(good(releases), keep - 1));
        // What is kept is kept the next time, too.
        expect(outdated({ releases: rest }, live, keep)).toEqual([]);
      },
    ),
  );
});
