import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failed, ok, onHost, sets } from '../../../../test/releases.ts';
import { decidePrune, decidePruneOfAll } from './prune.ts';
import type { SnapshotSet } from './set.ts';

const shape = fc.record({ release: fc.nat(5), held: fc.boolean(), cloned: fc.boolean(), half: fc.constantFrom(false, false, false, true) });
const contexts = fc.array(shape, { maxLength: 14 }).chain((shapes) =>
  fc.record({
    sets: fc.constant(sets(...shapes)),
    history: fc
      .subarray(shapes.map(({ release }, i) => ({ i, release })))
      .chain((some) => fc.tuple(...some.map(({ i, release }) => fc.boolean().map((good) => (good ? ok(i, release) : failed(i, release)))))),
    retention: fc.integer({ min: 1, max: 6 }),
    runId: fc.nat(20).map((i) => `s${i}`),
    current: fc.nat(20).map((i) => `s${i}`),
  }),
);

describe('prune, in any situation', () => {
  it('never destroys what is protected, keeps the newest, and is done after once', () => {
    fc.assert(
      fc.property(contexts, (context) => {
        const decisions = decidePrune(context);
        const doomed = decisions.filter(({ keep }) => !keep).map(({ set }) => set);
        const good = context.history.filter(({ result }) => result === 'ok');
        for (const set of doomed) {
          expect(set.members.some((member) => (member.holds ?? 0) > 0 || (member.clones ?? []).length > 0)).toBe(false);
          expect([context.runId, context.current, good.at(-1)?.set]).not.toContain(set.id);
        }
        expect(doomed.length === 0 || good.length > 0).toBe(true);
        const left = decisions.filter(({ keep }) => keep).map(({ set }) => set);
        expect(left.slice(0, context.retention)).toEqual(context.sets.slice(0, context.retention));
        const whole = (all: readonly SnapshotSet[]) => all.filter(({ missing }) => missing.length === 0);
        expect(whole(left).slice(0, context.retention)).toEqual(whole(context.sets).slice(0, context.retention));
        expect(decidePrune({ ...context, sets: left }).every(({ keep }) => keep)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('decides of the parts of a restore point on two hosts alike, of one host alone as ever, and is done after once', () => {
    const pairs = fc.tuple(contexts, fc.infiniteStream(fc.nat(3)));
    fc.assert(
      fc.property(pairs, ([context, lacking]) => {
        const { history, retention, runId, current } = context;
        const rest = { retention, runId, ...(current === undefined ? {} : { current }) };
        const some = (which: number) => context.sets.filter(() => lacking.next().value !== which);
        const hosts = [onHost('a', 'b', some(1), history), onHost('b', 'a', some(2), history)];
        const decided = decidePruneOfAll(hosts, rest);
        const fates = new Map<string, boolean>();
        for (const { set, keep } of decided.flatMap(({ decisions }) => decisions))
          expect(fates.set(set.id, fates.get(set.id) ?? keep).get(set.id)).toBe(keep);
        const left = hosts.map((one) => ({ ...one, points: { sets: one.points.sets.filter(({ id }) => fates.get(id)) } }));
        expect(
          decidePruneOfAll(left, rest)
            .flatMap(({ decisions }) => decisions)
            .every(({ keep }) => keep),
        ).toBe(true);
        const [alone] = decidePruneOfAll([{ host: 'a', points: context, history }], rest);
        expect(alone?.decisions).toEqual(decidePrune(context));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a bounded number of unprotected ones', () => {
    fc.assert(
      fc.property(contexts, (context) => {
        const loose = decidePrune(context).filter(({ because }) => because.some((reason) => /newest|last . releases/.test(reason)));
        const half = context.sets.filter(({ missing }) => missing.length > 0).length;
        expect(loose.length - half).toBeLessThanOrEqual(3 * context.retention);
      }),
    );
  });
});
