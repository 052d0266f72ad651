import { describe, expect, it } from 'vitest';
import { entry, set } from '../../../../test/sets.ts';
import { type DecideHost, type DecideInput, decide } from './decide.ts';
import { type DeployEntry, deployHistory } from './history.ts';
import type { SnapshotSet } from './set.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

/** Asks about a deploy of `release` by run `now`; sets newest first. */
function ask(
  release: string,
  sets: SnapshotSet[],
  history: DeployEntry[],
  { anyChangePlanned, ...more }: Partial<DecideHost & Pick<DecideInput, 'anyChangePlanned'>> = {},
) {
  const host = { host: 'local', points: { sets, taken: sets.map(({ name }) => name) }, history, existing: ['redis', 'minio'], ...more };
  return decide({ release, runId: 'now', hosts: [host], ...(anyChangePlanned === undefined ? {} : { anyChangePlanned }) });
}

/** A set as it is found on the one host. */
function onLocal(one: SnapshotSet) {
  return { id: one.id, name: one.name, parts: [{ host: 'local', set: one }] };
}

describe('a restore point', () => {
  it('is not needed where no container exists', () => {
    expect(ask(A, [], [], { existing: [] })).toEqual({ kind: 'nothing', because: 'no container exists yet, so there is nothing to lose' });
  });

  it('is cut at the first deploy over existing containers', () => {
    expect(ask(A, [], [])).toMatchObject({ kind: 'cut', name: `pre-deploy-${A}`, because: 'there is no restore point yet' });
  });

  it('A fails, again: the first one is used again', () => {
    const s1 = set('r1', `pre-deploy-${A}`, 10);
    for (const end of [[], [entry(A, 'failed', 'r1', 12, 'r1')]]) {
      expect(ask(A, [s1], [entry(A, 'started', 'r1', 9), ...end])).toEqual({
        ...{ kind: 'reuse', set: onLocal(s1) },
        because:
          'an unfinished deploy of aaaaaaaaaaaa cut pre-deploy-aaaaaaaaaaaa at 1970-01-01 00:00:10 UTC, and no deploy has completed since',
      });
    }
  });

  it('A, B, A: the old name does not count as a fresh one', () => {
    const sets = [set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];
    const history = [entry(A, 'ok', 'r1', 11, 'r1'), entry(B, 'ok', 'r2', 21, 'r2')];
    expect(ask(A, sets, history)).toEqual({
      ...{ kind: 'cut', name: `pre-deploy-${A}-2`, hosts: ['local'] },
      because:
        'the newest restore point, pre-deploy-bbbbbbbbbbbb, was cut before another release; the last completed release is bbbbbbbbbbbb',
    });
  });

  it('of the last completed release is cut only for a change, with a suffix', () => {
    const sets = [set('r1', `pre-deploy-${A}`, 10)];
    const history = [entry(A, 'ok', 'r1', 11, 'r1')];
    expect(ask(A, sets, history)).toMatchObject({ kind: 'lazy', name: `pre-deploy-${A}-2` });
    expect(ask(A, sets, history, { anyChangePlanned: false })).toMatchObject({ kind: 'lazy' });
    expect(ask(A, sets, history, { anyChangePlanned: true })).toMatchObject({ kind: 'cut', name: `pre-deploy-${A}-2` });
    expect(ask(A, [], [entry(A, 'ok', 'r1', 11)])).toMatchObject({ kind: 'lazy', name: `pre-deploy-${A}` });
  });

  it('A, B, rolled back to before B, B again: a fresh one, and never the one that the roll-back left', () => {
    const sets = [set('r3', `pre-rollback-${B}`, 30), set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];
    const deploys = [entry(A, 'ok', 'r1', 11, 'r1'), entry(B, 'ok', 'r2', 21, 'r2')];
    const history = [...deploys, entry(B, 'rolled-back', 'r3', 31, 'r2')];
    expect(ask(B, sets, history)).toMatchObject({ kind: 'cut', name: `pre-deploy-${B}-2` });
    expect(ask(B, sets.slice(1), history)).toMatchObject({ kind: 'cut', name: `pre-deploy-${B}-2` });
    expect(ask(A, sets.slice(1), history)).toMatchObject({ kind: 'cut', name: `pre-deploy-${A}-2` });
  });

  it('A, B fails, A again without a change, B again: what B had is older than the last completed deploy', () => {
    const sets = [set('r2', `pre-deploy-${B}`, 20), set('r1', `pre-deploy-${A}`, 10)];
    const failed = [entry(A, 'ok', 'r1', 11, 'r1'), entry(B, 'started', 'r2', 19), entry(B, 'failed', 'r2', 21, 'r2')];
    expect(ask(A, sets, failed)).toMatchObject({ kind: 'lazy' });
    expect(ask(B, sets, failed)).toMatchObject({ kind: 'reuse' });
    expect(ask(B, sets, [...failed, entry(A, 'ok', 'r3', 31)])).toMatchObject({
      kind: 'cut',
      name: `pre-deploy-${B}-2`,
      because: expect.stringMatching(/^a deploy has completed since pre-deploy-bbbbbbbbbbbb was cut/),
    });
  });

  it('is cut once a run, in whichever of its processes', () => {
    const own = set('now', `pre-deploy-${A}-2`, 20);
    expect(
      ask(A, [own], [entry(A, 'ok', 'r1', 11, 'r1')], { anyChangePlanned: true, existing: ['redis', 'minio', 'made-by-this-run'] }),
    ).toEqual({
      ...{ kind: 'reuse', set: onLocal(own), because: 'this run has cut pre-deploy-aaaaaaaaaaaa-2 already' },
    });
  });

  it('is not trusted when the audit log is lost', () => {
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10)], [])).toMatchObject({
      kind: 'cut',
      name: `pre-deploy-${A}-2`,
      because: expect.stringMatching(/^the audit log does not prove that no deploy has completed since pre-deploy-aaaaaaaaaaaa/),
    });
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10)], [entry(B, 'ok', 'r0', 5)])).toMatchObject({ kind: 'cut' });
  });

  it('is not trusted when the line that was cut off by a crash may be the end of its deploy', () => {
    const line = { run: 'r1', what: 'deploy', release: A, set: 'r1' };
    const started = { ...line, result: 'started', time: '1970-01-01T00:00:09.123456Z' };
    const broken = { run: '?', what: 'log', result: 'broken', time: started.time };
    const done = { run: 'r1', what: 'configure', result: 'ok', time: started.time };
    const s1 = set('r1', `pre-deploy-${A}`, 10);
    expect(ask(A, [s1], deployHistory([broken, started, done]))).toMatchObject({ kind: 'reuse' });
    expect(ask(A, [s1], deployHistory([started, done, broken]))).toMatchObject({ kind: 'cut' });
    expect(deployHistory([started, done, broken]).map(({ result }) => result)).toEqual(['started', 'broken']);
  });

  it('is not used again when it lacks a container', () => {
    const history = [entry(A, 'started', 'r1', 9)];
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10, ['redis'])], history)).toMatchObject({
      kind: 'cut',
      because: expect.stringMatching(/has no snapshot of minio/),
    });
    expect(ask(A, [set('r1', `pre-deploy-${A}`, 10, ['redis'], ['redis', 'minio'])], history)).toMatchObject({
      kind: 'cut',
      because: expect.stringMatching(/was not cut whole: minio is missing/),
    });
    expect(ask(A, [set('now', `pre-deploy-${A}`, 10, ['redis'], ['redis', 'minio'])], history)).toMatchObject({
      kind: 'cut',
      name: `pre-deploy-${A}-2`,
    });
  });

  it('has a name that nobody else has taken', () => {
    expect(ask(A, [], [], { points: { sets: [], taken: [`pre-deploy-${A}`] } })).toMatchObject({ name: `pre-deploy-${A}-2` });
  });
});
