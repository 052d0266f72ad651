import { describe, expect, it } from 'vitest';
import { entry, set } from '../../../../test/sets.ts';
import { type DecideHost, decide } from './decide.ts';
import type { DeployEntry } from './history.ts';
import type { SnapshotSet } from './set.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('a restore point of two hosts', () => {
  const here = (host: string, sets: SnapshotSet[], history: DeployEntry[], existing = [`on-${host}`]): DecideHost => ({
    ...{ host, points: { sets, taken: sets.map(({ name }) => name) } },
    ...{ history, existing },
  });
  const part = (id: string, name: string, host: string, other: string): SnapshotSet => ({
    ...set(id, name, 10, [`on-${host}`]),
    elsewhere: [`on-${other}@${other}`],
  });
  const onBoth = (id: string, name: string) => [part(id, name, 'one', 'two'), part(id, name, 'two', 'one')] as const;
  const deciding = (release: string, ...hosts: DecideHost[]) => decide({ release, runId: 'now', hosts });

  it('is used again where it is the newest on both, and serves on both', () => {
    const [one, two] = onBoth('r1', `pre-deploy-${A}`);
    const log = [entry(A, 'started', 'r1', 9)];
    expect(deciding(A, here('one', [one], log), here('two', [two], log))).toMatchObject({
      kind: 'reuse',
      set: { id: 'r1', parts: [{ host: 'one' }, { host: 'two' }] },
    });
    expect(deciding(A, here('one', [one], log), here('two', [], log))).toMatchObject({
      ...{ kind: 'cut', name: `pre-deploy-${A}-2`, hosts: ['one', 'two'] },
      because: 'one: pre-deploy-aaaaaaaaaaaa was not cut whole: on-two@two is missing from it; two: there is no restore point yet',
    });
  });

  it('is not two that older versions cut in different runs, though each serves on its host', () => {
    const one = here('one', [set('r1', `pre-deploy-${A}`, 10, ['on-one'])], [entry(A, 'started', 'r1', 9)]);
    const two = here('two', [set('r2', `pre-deploy-${A}`, 10, ['on-two'])], [entry(A, 'started', 'r2', 9)]);
    expect(deciding(A, one, two)).toMatchObject({
      ...{ kind: 'cut', name: `pre-deploy-${A}-2` },
      because: 'the newest restore points of its hosts were not cut together',
    });
  });

  it('is not asked of a host that has nothing to lose', () => {
    const one = here('one', [], [entry(A, 'ok', 'r1', 9)]);
    expect(deciding(B, one, here('two', [], [], []))).toMatchObject({ kind: 'cut', hosts: ['one'] });
    expect(deciding(B, here('one', [], [], []), here('two', [], [], []))).toMatchObject({ kind: 'nothing' });
  });

  it('is cut where the release is the last completed one on one host only', () => {
    const one = here('one', [], [entry(B, 'ok', 'r1', 9)]);
    const two = here('two', [], [entry(A, 'ok', 'r0', 5)]);
    expect(deciding(B, one, two)).toMatchObject({
      kind: 'cut',
      because: 'there is no restore point yet; the last completed release is bbbbbbbbbbbb on one, aaaaaaaaaaaa on two',
    });
  });

  it('knows that a run which was killed between its ends has completed on both, and left none out', () => {
    const started = entry(B, 'started', 'r1', 9);
    const end = entry(B, 'ok', 'r1', 10);
    const before = entry(A, 'ok', 'r0', 5);
    const two = here('two', [], [before, started]);
    expect(deciding(B, here('one', [], [before, started, end]), two)).toMatchObject({ kind: 'lazy' });
    expect(deciding(B, here('one', [], [before, started, { ...end, without: ['two'] }]), two)).toMatchObject({ kind: 'cut' });
  });

  it('that another process of this run is cutting is cut on the host where it is not yet, under its name', () => {
    const [one, two] = onBoth('now', `pre-deploy-${A}-3`);
    expect(deciding(A, here('one', [one], []), here('two', [], []))).toMatchObject({
      ...{ kind: 'cut', name: `pre-deploy-${A}-3`, hosts: ['two'] },
    });
    expect(deciding(A, here('one', [one], []), here('two', [two], []))).toMatchObject({ kind: 'reuse', set: { id: 'now' } });
  });
});
