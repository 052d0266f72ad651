import { expect, it } from 'vitest';
import { settings } from '../../../../../test/app-settings.ts';
import { showChange, showDifference } from '../../engine/show-change.ts';
import { scriptHash } from '../layout/script.ts';
import { planDeploy, planRollback, type ReleasePlan } from './plan.ts';
import { type Release, type ReleaseState, releaseId } from './release.ts';

const desired = { settings: settings('node'), context: { environment: 'dev', instance: 'notes-dev', clientNetworks: [], artifacts: {} } };
const script = scriptHash(desired.settings);
const now = new Date('2026-02-01T12:00:00Z');
const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
const idOf = (commit: string) => releaseId(new Date('2026-01-31T12:00:00Z'), commit);

function release(commit: string, state: ReleaseState, before?: string, goodSince = state === 'good' ? 100 : undefined): Release {
  return { id: idOf(commit), commit, state, before: before && idOf(before), goodSince };
}
const deploy = (current: string | undefined, releases: Release[], head: string, commit?: string) =>
  planDeploy({ guest: { script, current: current && idOf(current), releases }, head }, desired, { commit, now });
const rollback = (current: string | undefined, releases: Release[], to?: string) =>
  planRollback({ guest: { script, current: current && idOf(current), releases } }, desired, to);
const shown = ({ because, changes }: ReleasePlan) =>
  [because, ...changes.flatMap((change) => [showChange(change), ...showDifference(change).map((line) => `  ${line}`)])].join('\n');

it('the first one is built, migrated and made live', () => {
  expect(shown(deploy(undefined, [], A))).toMatchInlineSnapshot(`
    "it is not deployed yet
    create release 20260201T120000Z-aaaaaaaaaaaa: there is no whole release of aaaaaaaaaaaa
      commit: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      branch: main
    update database schema: migrations run before the switch
      as release 20260201T120000Z-aaaaaaaaaaaa wants it
    create live release (restart): it was never live
      aaaaaaaaaaaa of 2026-02-01 12:00:00 UTC"
  `);
});

it('a new commit takes the place of the live one', () => {
  const plan = deploy(A, [release(A, 'good')], B);
  expect(shown(plan)).toMatchInlineSnapshot(`
    "it is not deployed yet
    create release 20260201T120000Z-bbbbbbbbbbbb: there is no whole release of bbbbbbbbbbbb
      commit: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      branch: main
    update database schema: migrations run before the switch
      as release 20260201T120000Z-bbbbbbbbbbbb wants it
    update live release (restart): it was never live
      aaaaaaaaaaaa of 2026-01-31 12:00:00 UTC -> bbbbbbbbbbbb of 2026-02-01 12:00:00 UTC"
  `);
  expect(plan.changes.flatMap(({ commands }) => commands).map((command) => 'argv' in command && command.argv.slice(1))).toEqual([
    ['step', 'build', '20260201T120000Z-bbbbbbbbbbbb', B],
    ['step', 'migrate', '20260201T120000Z-bbbbbbbbbbbb'],
    ['step', 'activate', '20260201T120000Z-bbbbbbbbbbbb'],
  ]);
});

it('what is live already is left alone, and that is said', () => {
  expect(shown(deploy(A, [release(A, 'good')], A))).toMatchInlineSnapshot(
    `"aaaaaaaaaaaa is live already (release 20260131T120000Z-aaaaaaaaaaaa)"`,
  );
});

it('a commit that was asked for goes before the newest one', () => {
  expect(deploy(A, [release(A, 'good')], B, A).changes).toEqual([]);
});

it('a release that was good before a roll-back is made live again, not built again', () => {
  expect(shown(deploy(A, [release(A, 'good'), release(B, 'good', A)], B))).toMatchInlineSnapshot(`
    "release 20260131T120000Z-bbbbbbbbbbbb is built already
    update database schema: migrations run before the switch
      as release 20260131T120000Z-bbbbbbbbbbbb wants it
    update live release (restart): it was good when it was live
      aaaaaaaaaaaa of 2026-01-31 12:00:00 UTC -> bbbbbbbbbbbb of 2026-01-31 12:00:00 UTC"
  `);
});

it('one that was built by a run that was killed is gone on with', () => {
  expect(shown(deploy(A, [release(A, 'good'), release(B, 'built')], B))).toMatchInlineSnapshot(`
    "release 20260131T120000Z-bbbbbbbbbbbb is built already
    update database schema: migrations run before the switch
      as release 20260131T120000Z-bbbbbbbbbbbb wants it
    update live release (restart): it was never live
      aaaaaaaaaaaa of 2026-01-31 12:00:00 UTC -> bbbbbbbbbbbb of 2026-01-31 12:00:00 UTC"
  `);
});

it('one whose activation was killed is activated again, though it is the live one', () => {
  expect(shown(deploy(B, [release(A, 'good'), release(B, 'activating', A)], B))).toMatchInlineSnapshot(`
    "release 20260131T120000Z-bbbbbbbbbbbb is built already
    update database schema: migrations run before the switch
      as release 20260131T120000Z-bbbbbbbbbbbb wants it
    restart live release (restart): it was not finished: whether it is healthy is not known
      bbbbbbbbbbbb of 2026-01-31 12:00:00 UTC"
  `);
});

it('one that failed, and one that was not built to its end, are built anew', () => {
  for (const state of ['failed', 'building'] as const)
    expect(deploy(A, [release(A, 'good'), release(B, state, A)], B).release).toBe('20260201T120000Z-bbbbbbbbbbbb');
});

it('the name of one that failed in the same second is not taken again', () => {
  const failed = { ...release(B, 'failed', A), id: releaseId(now, B) };
  expect(deploy(A, [release(A, 'good'), failed], B).release).toBe('20260201T120001Z-bbbbbbbbbbbb');
});

it('a guest that was configured with other settings is refused', () => {
  const guest = { current: undefined, releases: [] };
  expect(() => planDeploy({ guest: { ...guest, script: undefined }, head: A }, desired, { now })).toThrow('has no deploy script');
  expect(() => planDeploy({ guest: { ...guest, script: 'f'.repeat(64) }, head: A }, desired, { now })).toThrow(
    'is not the one of the settings',
  );
});

it('a roll-back goes to the one that was live before', () => {
  expect(shown(rollback(B, [release(A, 'good'), release(B, 'good', A)]))).toMatchInlineSnapshot(`
    "it was live before
    update live release (restart): it was good when it was live
      bbbbbbbbbbbb of 2026-01-31 12:00:00 UTC -> aaaaaaaaaaaa of 2026-01-31 12:00:00 UTC"
  `);
});

it('--to names a release or a commit; only a good one is taken', () => {
  const all = [release(A, 'good'), release(B, 'failed', A), release(C, 'good', A)];
  expect(rollback(C, all, A.slice(0, 7)).release).toBe(idOf(A));
  expect(rollback(C, all, idOf(A)).release).toBe(idOf(A));
  expect(rollback(C, all, C).changes).toEqual([]);
  expect(() => rollback(C, all, B)).toThrow('was never good (failed)');
  expect(() => rollback(C, all, 'ddddddd')).toThrow('there is no release "ddddddd"');
});

it('without one to go back to it is refused', () => {
  expect(() => rollback(undefined, [])).toThrow('no release is live');
  expect(() => rollback(A, [release(A, 'good')])).toThrow('there is no good release from before');
});

it('a roll-back that was killed half way is ended, not begun a second time', () => {
  const all = [release(A, 'good'), { ...release(B, 'activating', A), goodSince: 90 }, release(C, 'good', B)];
  expect(rollback(B, all).release).toBe(idOf(B));
  expect(rollback(B, all).changes).toHaveLength(1);
});
