import { describe, expect, it } from 'vitest';
import { failed, ok, onHost, RELEASES, sets } from '../../../../test/releases.ts';
import { decidePrune, decidePruneOfAll, explainPrune, type PruneContext } from './prune.ts';

function kept(context: Omit<PruneContext, 'runId'> & { runId?: string }): string[] {
  return decidePrune({ runId: 'now', ...context })
    .filter(({ keep }) => keep)
    .map(({ set }) => set.id);
}

describe('prune', () => {
  it('keeps the newest, one a release', () => {
    const all = sets({ release: 0 }, { release: 1 }, { release: 2 }, { release: 3 });
    expect(kept({ sets: all, history: [ok(0, 0), ok(1, 1), ok(2, 2), ok(3, 3)], retention: 2, current: 's3' })).toEqual(['s3', 's2']);
  });

  it('does not let many of one release push the others out', () => {
    const all = sets({ release: 0 }, { release: 1 }, { release: 2 }, { release: 2 }, { release: 2 }, { release: 2 });
    expect(kept({ sets: all, history: [ok(1, 1), ok(5, 2)], retention: 2 })).toEqual(['s5', 's4', 's2', 's1']);
  });

  it('keeps the states before a release was deployed for the first and the last time, as long as it is one of the last', () => {
    const all = sets({ release: 0 }, { release: 1 }, { release: 0 }, { release: 0 }, { release: 3 }, { release: 3 }, { release: 3 });
    expect(kept({ sets: all, history: [ok(6, 3)], retention: 2 })).toEqual(['s6', 's5', 's4', 's3', 's0']);
  });

  it('keeps what brings back the last good deploy, however many failed since', () => {
    const all = sets({ release: 0 }, { release: 1 }, { release: 2 }, { release: 3 }, { release: 4 });
    const history = [ok(0, 0), ok(1, 1), failed(2, 2), failed(3, 3), failed(4, 4)];
    const decisions = decidePrune({ sets: all, history, retention: 1, runId: 's4' });
    expect(decisions.map(explainPrune)).toEqual([
      "keep pre-deploy-eeeeeeeeeeee-5: it is this deploy's restore point; it is among the newest 1; it is the state before eeeeeeeeeeee, one of the last 1 releases, was first deployed",
      'destroy pre-deploy-dddddddddddd-4: no rule keeps it',
      'keep pre-deploy-cccccccccccc-3: it holds the state that the last good deploy left',
      'keep pre-deploy-bbbbbbbbbbbb-2: it is the restore point of the last good deploy (bbbbbbbbbbbb)',
      'destroy pre-deploy-aaaaaaaaaaaa: no rule keeps it',
    ]);
  });

  it('knows the restore point of the last good deploy also by its run, and passes over deploys that had none', () => {
    const all = sets({ release: 0 }, { release: 1 }, { release: 2 });
    const { set: _, ...byRun } = ok(0, 0);
    const changedNothing = { release: RELEASES[0] as string, result: 'ok', run: 'r9', at: byRun.at } as const;
    expect(kept({ sets: all, history: [byRun, changedNothing, failed(1, 1), failed(2, 2)], retention: 1 })).toEqual(['s2', 's1', 's0']);
  });

  it('keeps everything while the log tells of no completed deploy', () => {
    expect(kept({ sets: sets({ release: 0 }, { release: 1 }, { release: 2 }), history: [failed(0, 0)], retention: 1 })).toEqual([
      's2',
      's1',
      's0',
    ]);
  });

  it('keeps what is held or cloned, as a whole', () => {
    const all = sets({ release: 0, held: true }, { release: 1, cloned: true }, { release: 2 }, { release: 3 });
    const decisions = decidePrune({ sets: all, history: [ok(3, 3)], retention: 1, runId: 'now' });
    expect(decisions.slice(1).map(explainPrune)).toEqual([
      'destroy pre-deploy-cccccccccccc-3: no rule keeps it',
      'keep pre-deploy-bbbbbbbbbbbb-2: it has clones (tank/drill)',
      `keep pre-deploy-aaaaaaaaaaaa: it is held (zfs holds tank/redis@pre-deploy-${RELEASES[0]})`,
    ]);
  });

  it('keeps what a roll-back left, and lets it push nothing out', () => {
    const all = sets({ release: 0 }, { release: 1 }, { release: 2 }, { release: 2, rollback: true }, { release: 2, rollback: true });
    const context = { sets: all, history: [ok(2, 2)], retention: 2, runId: 'now' };
    const gone = decidePrune(context).filter(({ keep }) => !keep);
    expect(gone.map(({ set }) => set.id)).toEqual(['s0']);
  });

  it('does not count what was not cut whole', () => {
    const all = sets({ release: 0 }, { release: 1 }, { release: 2, half: true }, { release: 3, half: true });
    expect(kept({ sets: all, history: [ok(0, 0)], retention: 1 })).toEqual(['s3', 's2', 's1', 's0']);
  });

  it('takes no retention below 1', () => {
    for (const retention of [0, -1, 1.5, Number.NaN]) expect(() => kept({ sets: [], history: [], retention })).toThrow(RangeError);
  });
});

const decisionsOf = (hosts: readonly ReturnType<typeof onHost>[], retention: number) =>
  decidePruneOfAll(hosts, { retention, runId: 'now' }).map(({ decisions }) => decisions.map(explainPrune));

describe('prune of an environment on two hosts', () => {
  const all = sets({ release: 0 }, { release: 1 }, { release: 2 }, { release: 3 });

  it('keeps on both what is held on one, and says where', () => {
    const heldThere = sets({ release: 0, held: true }, { release: 1 }, { release: 2 }, { release: 3 });
    const [a, b] = decisionsOf([onHost('a', 'b', all, [ok(3, 3)]), onHost('b', 'a', heldThere, [ok(3, 3)])], 2);
    expect(a?.slice(2)).toEqual([
      'destroy pre-deploy-bbbbbbbbbbbb-2: no rule keeps it',
      `keep pre-deploy-aaaaaaaaaaaa: its part on host b stays: it is held (zfs holds tank/redis@pre-deploy-${RELEASES[0]})`,
    ]);
    expect(b?.slice(2)).toEqual([
      'destroy pre-deploy-bbbbbbbbbbbb-2: no rule keeps it',
      `keep pre-deploy-aaaaaaaaaaaa: it is held (zfs holds tank/redis@pre-deploy-${RELEASES[0]})`,
    ]);
  });

  it('does not count what one host has no part of, so the newest whole ones stay on both', () => {
    const lacks = (ids: readonly string[]) => all.filter(({ id }) => !ids.includes(id));
    const [a, b] = decisionsOf([onHost('a', 'b', all, [ok(0, 0)]), onHost('b', 'a', lacks(['s2', 's3']), [ok(0, 0)])], 1);
    expect(a?.map((text) => text.split(':')[0])).toEqual([
      'keep pre-deploy-dddddddddddd-4',
      'keep pre-deploy-cccccccccccc-3',
      'keep pre-deploy-bbbbbbbbbbbb-2',
      'keep pre-deploy-aaaaaaaaaaaa',
    ]);
    expect(b?.map((text) => text.split(':')[0])).toEqual(['keep pre-deploy-bbbbbbbbbbbb-2', 'keep pre-deploy-aaaaaaaaaaaa']);
  });

  it('takes a deploy whose end only one log has as completed on both', () => {
    const begun = { ...ok(3, 3), result: 'started' as const };
    const before = [ok(0, 0), ok(1, 1)];
    const [a, b] = decisionsOf([onHost('a', 'b', all, [...before, ok(3, 3)]), onHost('b', 'a', all, [...before, begun])], 1);
    expect(b).toEqual(a);
    expect(a?.[0]).toContain('it is the restore point of the last good deploy (dddddddddddd)');
  });
});
