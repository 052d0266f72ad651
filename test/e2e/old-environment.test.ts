import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AuditEntry } from '../../tools/executors/src/audit/audit.ts';
import { expectConverged, expectRefused } from './expectations.ts';
import { configuringRedis, uninstallRedis } from './in-the-middle.ts';
import { installOldPackage, type OldPackage } from './old-package.ts';
import { A, B, C, D, Keys, killedOldDeploy, marksOf, oldHistory, shortened, upgrade, useOldPackage } from './old-steps.ts';
import { jsonIn, jsonLinesIn, planned } from './output.ts';
import { makeRemote, type Remote } from './remote.ts';
import type { Workspace } from './workspace.ts';

/*
 * What an earlier nx-mooring has left on hosts, in today's hands. Two hosts: this machine, and an alias that leads to it over SSH, where a
 * lease and an audit log of its own are seen.
 */

const ENVIRONMENT = 'e2e-old';

let old: OldPackage;
let remote: Remote;
let workspace: Workspace;
let stored: Keys;
/** `/var/lib/mooring` of the host `near`. */
let near: string;

beforeAll(async () => {
  old = await installOldPackage();
  near = await mkdtemp(join(tmpdir(), 'mooring-near-'));
  const own = `ForceCommand unshare --mount sh -c 'mount --bind ${near} /var/lib/mooring && exec sh -c "$SSH_ORIGINAL_COMMAND"'`;
  remote = await makeRemote({ environment: ENVIRONMENT, containers: ['redis'], over: { host: 'local' } }, own);
  ({ workspace } = remote);
  stored = new Keys(workspace, `redis-password-of-${ENVIRONMENT}`);
  await useOldPackage(workspace, old);
});
afterAll(async () => {
  await remote?.remove();
  await old?.remove();
  if (near !== undefined) await rm(near, { recursive: true });
});

const keys = async () => ({ redis: await stored.of('redis'), cache: await stored.of('cache') });
const deploy = (release: string, ...flags: readonly string[]) => expectConverged(workspace.configure(`--release=${release}`, ...flags));
const rollback = (project: string, ...flags: readonly string[]) => workspace.run(project, 'rollback', ...flags);

/** Names of a container's restore points, oldest first, with a letter for the release. */
const points = async (project: string) =>
  (await workspace.incus('snapshot', 'list', workspace.instance(project), '--format=csv', '--columns=n'))
    .split('\n')
    .filter(Boolean)
    .map(shortened);

it('the old one deploys A and B to one host, C and B again to two, whose sets then have different names, and goes back', async () => {
  await oldHistory(workspace, stored, { host: 'near' });
  expect(await keys()).toEqual({ redis: 'of-a of-b of-c', cache: 'of-c' });
  expect(await points('redis')).toEqual(['pre-deploy-b', 'pre-deploy-c', 'pre-deploy-b-2', 'pre-rollback-b']);
  expect(await points('cache')).toEqual(['pre-deploy-b', 'pre-rollback-b']);
});

it('today plan says 0 changes; status, snapshots and log read what the old one wrote', async () => {
  await upgrade(workspace, old);
  expect(await planned(workspace, '--fail-on-changes', `--release=${B}`)).toMatchObject({ code: 0, changes: [] });
  const status = await expectConverged(workspace.run('zfs', 'status'));
  expect(status).toMatch(/^e2e-old-redis +running .* healthy +c{12} +4, newest pre-rollback-b{12} +none$/m);
  expect(status).toMatch(/^e2e-old-cache +running .* healthy +c{12} +2, newest pre-rollback-b{12} +none$/m);
  const { hosts } = jsonIn<{ hosts: { host: string; sets: { name: string; lastGood: boolean; missing: string[] }[]; strays: [] }[] }>(
    await expectConverged(workspace.run('zfs', 'snapshots', '--json')),
  );
  const names = hosts.map(({ host, sets, strays }) => [host, sets.map(({ name }) => shortened(name)), strays]);
  expect(names).toEqual([
    ['local', ['pre-rollback-b', 'pre-deploy-b-2', 'pre-deploy-c', 'pre-deploy-b'], []],
    ['near', ['pre-rollback-b', 'pre-deploy-b'], []],
  ]);
  const good = hosts.map(({ sets }) => sets.filter(({ lastGood }) => lastGood).map(({ name }) => name));
  expect(good).toEqual([[`pre-deploy-${B}-2`], [`pre-deploy-${B}`]]);
  const log = jsonLinesIn<AuditEntry>(await expectConverged(workspace.run('zfs', 'log', '--json')));
  const ended = log.filter(({ what, result }) => ['deploy', 'rollback'].includes(what) && result === 'ok');
  // One for each host.
  expect(ended.map(({ what, release }) => `${what} ${release?.[0]}`)).toEqual([
    'deploy a',
    'deploy b',
    ...['deploy c', 'deploy b', 'rollback b'].flatMap((one) => [one, one]),
  ]);
  for (const project of ['redis', 'cache']) expect(await marksOf(workspace, project)).toEqual({ release: C, format: undefined });
});

it('a deploy that the old one did not finish, because it was killed, is finished today over the restore point that it cut', async () => {
  const taking = await killedOldDeploy(workspace, old, async () => {
    await uninstallRedis(workspace);
    return configuringRedis(workspace, `--release=${D}`);
  });
  const output = await deploy(D, taking);
  expect(output.match(/reused pre-deploy-d{12}: an unfinished deploy of d{12} cut/g)).toHaveLength(1);
  expect(await keys()).toEqual({ redis: 'of-a of-b of-c', cache: 'of-c' });
  for (const project of ['redis', 'cache']) {
    expect((await points(project)).at(-1)).toBe('pre-deploy-d');
    expect(await marksOf(workspace, project)).toEqual({ release: D, format: '1' });
  }
  expect(await deploy(D)).toContain(`${ENVIRONMENT}: 0 changes; 6 round trips`);
});

it('--undo brings back what the roll-back of the old one left', async () => {
  await expectConverged(rollback('zfs', '--undo', '--yes'));
  expect(await keys()).toEqual({ redis: 'of-a of-b of-b2 of-c', cache: 'of-b2 of-c' });
});

it('rollback goes to a restore point of the old one, which has another name on each host', async () => {
  await expectConverged(rollback('zfs', `--before=${B}`, '--yes'));
  expect(await keys()).toEqual({ redis: 'of-a of-b of-c', cache: 'of-c' });
});

it('a restore point of a time when only one host had a container leaves the other host as it is', async () => {
  const output = await expectConverged(rollback('zfs', `--before=${C}`, '--yes'));
  expect(output).toContain(`left as they are, because they were not there then: ${workspace.instance('cache')}`);
  expect(await keys()).toEqual({ redis: 'of-a of-b', cache: 'of-c' });
});

it('a restore point that has lost the part of a host is refused for the environment, and offered for the other host', async () => {
  await workspace.incus('snapshot', 'delete', workspace.instance('cache'), `pre-deploy-${D}`);
  const { code, output } = await rollback('zfs', `--before=${D}`, '--yes');
  expect(code, output).toBe(1);
  expect(output).toContain('cannot roll back to pre-deploy-dddddddddddd: it is incomplete, host near has no part of it');
  expect(output).toContain(`nx run redis:rollback -c ${ENVIRONMENT} --to=pre-deploy-dddddddddddd`);
  expect(await keys()).toEqual({ redis: 'of-a of-b', cache: 'of-c' });
});

it('prune --preserved lists and destroys what the roll-back of the old one left, on both hosts', async () => {
  const name = `pre-rollback-${B}`;
  const output = await expectConverged(workspace.run('zfs', 'prune', '--preserved', `--destroy=${name}`, '--yes'));
  for (const project of ['redis', 'cache']) {
    expect(output).toMatch(new RegExp(`^pre-rollback-b{12}: ${workspace.instance(project)}, cut `, 'm'));
    expect(await points(project)).not.toContain('pre-rollback-b');
    expect(await points(project)).toContain('pre-rollback-b-2');
  }
});

it('a container that a newer one has deployed is not changed, nor is its neighbour; what only reads goes on, and warns', async () => {
  const newer = ['user.mooring.format=2', 'user.mooring.tool=nx-mooring 9.0.0'];
  await workspace.incus('config', 'set', workspace.instance('redis'), ...newer);
  const is = 'local: e2e-old-redis is of format 2, by nx-mooring 9.0.0; nx-mooring 0.1.0 knows format 1';
  const refusal = { says: [`cannot change e2e-old on host ${is}`, 'upgrade nx-mooring to 9.0.0 or newer'], containers: ['redis', 'cache'] };
  await expectRefused(workspace, () => workspace.configure(`--release=${A}`), refusal);
  expect(await expectConverged(workspace.run('zfs', 'status'))).toContain(`WARNING: ${is}`);
});
