import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectConverged, expectRefused } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import type { Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-rollback';
const [A, B, C] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)];

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['redis', 'postgres'] });
  await expectConverged(workspace.configure(`--release=${A}`));
  await write('of-a');
  await expectConverged(workspace.configure(`--release=${B}`));
  await write('of-b');
});
afterAll(() => workspace.remove());

/** Writes one key and one row. */
async function write(value: string): Promise<void> {
  await redis(`set ${value} ${value}`);
  await sql(`create table if not exists t (v text); insert into t values ('${value}')`);
}

const redis = (command: string) =>
  workspace.guest('redis', `REDISCLI_AUTH=redis-password-of-${ENVIRONMENT} redis-cli -e ${command}`).then((answer) => answer.trim());
const sql = (statement: string) =>
  workspace.guest('postgres', `runuser -u postgres -- psql -X -q -At -d veza -c "${statement}"`).then((answer) => answer.trim());

/** What both services hold. */
async function data(): Promise<{ keys: string[]; rows: string[] }> {
  return {
    keys: (await redis('keys "of-*"')).split('\n').filter(Boolean).sort(),
    rows: (await sql('select v from t order by 1')).split('\n').filter(Boolean),
  };
}

const rollback = (project: string, ...flags: readonly string[]) => workspace.run(project, 'rollback', ...flags);

it('is refused without a place to go to, with --release, in place and without a terminal', async () => {
  const refused = (says: string, ...flags: string[]) =>
    expectRefused(workspace, () => rollback('zfs', ...flags), { says: [says], containers: ['redis', 'postgres'] });
  await refused('no destination given', '--yes');
  await refused('reads as "back to X"', `--release=${B}`, '--yes');
  await refused('--before and --undo do not go together', `--before=${B}`, '--undo', '--yes');
  await refused('there is no terminal to ask on', `--before=${B}`);
  await refused('--in-place is for ZFS', `--before=${B}`, '--in-place', '--yes');
  await refused(`there is no restore point from before ${C}`, `--before=${C}`, '--yes');
});

it('--dry-run shows where it goes and what becomes of the present', async () => {
  const output = await expectConverged(rollback('zfs', `--before=${B}`, '--dry-run'));
  expect(output).toMatch(/back to pre-deploy-bbbbbbbbbbbb: state of .* UTC, before bbbbbbbbbbbb was deployed, after aaaaaaaaaaaa/);
  expect(output).toContain('dry run: nothing was changed');
  expect(await data()).toEqual({ keys: ['of-a', 'of-b'], rows: ['of-a', 'of-b'] });
});

it('takes all containers back to one restore point', async () => {
  const output = await expectConverged(rollback('zfs', `--before=${B}`, '--yes'));
  expect(output).toMatch(/redis: down for [\d.]+ s; redis .* is healthy/);
  expect(await data()).toEqual({ keys: ['of-a'], rows: ['of-a'] });
});

it('does nothing the second time, until it is told --again', async () => {
  expect(await expectConverged(rollback('zfs', `--before=${B}`, '--yes'))).toContain('nothing to do: this was done at');
});

it('--undo goes forward again, to the last row, and the log tells of both', async () => {
  await expectConverged(rollback('zfs', '--undo', '--yes'));
  expect(await data()).toEqual({ keys: ['of-a', 'of-b'], rows: ['of-a', 'of-b'] });
  const log = await expectConverged(workspace.run('zfs', 'log'));
  expect(log).toMatch(/rollback +ok|rollback.*ok/);
  expect(log).toMatch(/undo +ok|undo.*ok/);
});

it('takes one container back and leaves the others alone', async () => {
  const started = await workspace.guest('postgres', 'systemctl show -p ExecMainStartTimestampMonotonic postgresql@*-main');
  await expectConverged(rollback('redis', `--before=${B}`, '--yes'));
  expect(await data()).toEqual({ keys: ['of-a'], rows: ['of-a', 'of-b'] });
  expect(await workspace.guest('postgres', 'systemctl show -p ExecMainStartTimestampMonotonic postgresql@*-main')).toBe(started);
  await expectConverged(rollback('redis', '--undo', '--yes'));
});

it('a state whose service does not start is left again: the old one runs, and it says so', async () => {
  await workspace.guest('redis', 'cp /etc/redis/redis.conf /root/good; echo "no such directive" >>/etc/redis/redis.conf');
  await expectConverged(workspace.run('redis', 'configure', `--release=${C}`));
  await write('of-c');
  const { code, output } = await rollback('redis', `--before=${C}`, '--yes');
  expect(code, output).toBe(1);
  expect(output).toContain('The roll-back failed. The OLD state runs');
  expect((await data()).keys).toEqual(['of-a', 'of-b', 'of-c']);
  await expectConverged(workspace.configure(`--release=${C}`));
});

it('a deploy after a roll-back cuts a restore point of its own', async () => {
  await expectConverged(rollback('zfs', `--before=${B}`, '--yes'));
  const output = await expectConverged(workspace.configure(`--release=${B}`));
  expect(output).toContain('cut pre-deploy-bbbbbbbbbbbb-2');
});

it('what a roll-back left goes by name only', async () => {
  const names = async () =>
    (await workspace.incus('snapshot', 'list', workspace.instance('redis'), '--format=csv', '--columns=n')).split('\n').filter(Boolean);
  const all = await names();
  const [doomed] = all.filter((name) => name.startsWith('pre-rollback-'));
  expect(await expectConverged(workspace.run('zfs', 'prune', '--kept'))).toContain('pre-rollback-bbbbbbbbbbbb');
  expect(await names()).toEqual(all);
  const other = await workspace.run('zfs', 'prune', '--preserved', `--destroy=pre-deploy-${B}`, '--yes');
  expect(other.code, other.output).toBe(1);
  expect(other.output).toContain('is not a state that a roll-back kept');
  await expectConverged(workspace.run('zfs', 'prune', '--preserved', `--destroy=${doomed}`, '--yes'));
  expect(await names()).toEqual(all.filter((name) => name !== doomed));
});
