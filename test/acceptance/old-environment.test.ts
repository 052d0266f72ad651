import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectConverged } from '../e2e/expectations.ts';
import { installOldPackage, type OldPackage } from '../e2e/old-package.ts';
import { B, C, D, Keys, killedOldDeploy, marksOf, oldHistory, shortened, upgrade, useOldPackage } from '../e2e/old-steps.ts';
import { jsonIn, planned } from '../e2e/output.ts';
import { startConfigure } from '../e2e/running.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { discard, makeDistantWorkspace, secrets } from './environment.ts';
import { snapshots } from './looking.ts';
import { machine } from './machine.ts';

/*
 * What an earlier nx-mooring has left on ZFS, in today's hands. Two hosts: the machine, with the pool tank, and the same machine under another
 * name, where a lease and an audit log of its own are seen and the container is on the pool dozer.
 */

let old: OldPackage;
let workspace: Workspace;
let stored: Keys;
/** Datasets that the roll-back of the old one left. */
let leftByOld: string[];

beforeAll(async () => {
  await machine.reset('ready');
  old = await installOldPackage();
  workspace = await makeDistantWorkspace(['redis']);
  stored = new Keys(workspace, String(secrets.REDIS_PASSWORD));
  await nameTheMachineNear();
  await useOldPackage(workspace, old);
});
afterAll(async () => {
  await discard(workspace);
  await old?.remove();
});

/**
 * The machine's second name, of a user who is root as well. Only the folder of the tool is another: mounts of everything else are seen by all, for
 * Incus and ZFS mount and unmount datasets.
 */
async function nameTheMachineNear(): Promise<void> {
  await machine.sh(`mkdir -p /var/lib/mooring /var/lib/mooring-near
mount --bind /var/lib/mooring /var/lib/mooring
mount --make-private /var/lib/mooring
useradd --non-unique --uid 0 --gid 0 --no-create-home --home-dir /root --shell /bin/sh --password '*' near
cat >/usr/local/bin/near <<'END'
#!/bin/sh
exec unshare --mount --propagation unchanged sh -c 'mount --bind /var/lib/mooring-near /var/lib/mooring && exec sh -c "$SSH_ORIGINAL_COMMAND"'
END
chmod +x /usr/local/bin/near
printf 'Match User near\\n  ForceCommand /usr/local/bin/near\\n' >/etc/ssh/sshd_config.d/near.conf
systemctl reload ssh`);
  const file = join(workspace.root, '.lab/ssh_config');
  const config = await readFile(file, 'utf8');
  await writeFile(file, `Host near\n  User near\n${config.replace(/^(Host veza-acceptance veza-acceptance-deploy)$/m, '$1 near')}`);
}

const keys = async () => ({ redis: await stored.of('redis'), cache: await stored.of('cache') });
const rollback = (project: string, ...flags: readonly string[]) => workspace.run(project, 'rollback', ...flags);
/** Names of restore points by pool, oldest first, with a letter for the release. */
const points = async () => ({ tank: await pointsOn('tank'), dozer: await pointsOn('dozer') });
const pointsOn = async (pool: string) => (await snapshots(pool)).map(({ name }) => shortened(name));
/** Datasets that roll-backs have left. */
const preserved = async () =>
  (await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/mooring', 'dozer/mooring'))
    .filter((name) => !name.endsWith('/mooring'))
    .sort();

it('the old one deploys A and B to one host, C and B again to two, whose sets then have different names, and goes back', async () => {
  await oldHistory(workspace, stored, { host: 'near', devices: { root: { type: 'disk', path: '/', pool: 'dozer' } } });
  expect(await keys()).toEqual({ redis: 'of-a of-b of-c', cache: 'of-c' });
  expect(await points()).toEqual({ tank: ['pre-deploy-b', 'pre-deploy-c', 'pre-deploy-b-2'], dozer: ['pre-deploy-b'] });
  leftByOld = await preserved();
  expect(leftByOld).toEqual([
    expect.stringMatching(/^dozer\/mooring\/acceptance-cache-/),
    expect.stringMatching(/^tank\/mooring\/acceptance-redis-/),
  ]);
});

it('today plan says 0 changes; the sets of each host and what the roll-back left are listed', async () => {
  await upgrade(workspace, old);
  expect(await planned(workspace, '--fail-on-changes', `--release=${B}`)).toMatchObject({ code: 0, changes: [] });
  const { hosts } = jsonIn<{ hosts: { host: string; sets: { name: string; lastGood: boolean }[]; strays: [] }[] }>(
    await expectConverged(workspace.run('zfs', 'snapshots', '--json')),
  );
  const sets = hosts.map(({ host, sets }) => [host, ...sets.map(({ name, lastGood }) => `${shortened(name)}${lastGood ? ' (good)' : ''}`)]);
  expect(sets).toEqual([
    ['near', 'pre-deploy-b (good)'],
    ['veza-acceptance', 'pre-deploy-b-2 (good)', 'pre-deploy-c', 'pre-deploy-b'],
  ]);
  expect(hosts.flatMap(({ strays }) => strays)).toEqual([]);
  const listed = await expectConverged(workspace.run('zfs', 'prune', '--kept'));
  for (const name of leftByOld) expect(listed).toContain(name);
});

it('a deploy that the old one did not finish, because it was killed, is finished today over the restore point that it cut', async () => {
  const taking = await killedOldDeploy(workspace, old, async () => {
    for (const project of ['redis', 'cache'])
      await workspace.guest(project, "sed -i 's/^maxmemory .*/maxmemory 1mb/' /etc/redis/redis.conf");
    const run = startConfigure(workspace, `--release=${D}`);
    // On both hosts.
    await run.says(/cut pre-deploy-d[\s\S]*cut pre-deploy-d/, 600_000);
    return run;
  });
  const output = await expectConverged(workspace.configure(`--release=${D}`, taking));
  expect(output.match(/reused pre-deploy-d{12}: an unfinished deploy of d{12} cut/g)).toHaveLength(1);
  expect(await keys()).toEqual({ redis: 'of-a of-b of-c', cache: 'of-c' });
  for (const project of ['redis', 'cache']) {
    expect(await marksOf(workspace, project)).toEqual({ release: D, format: '1' });
    expect(await workspace.guest(project, 'grep "^maxmemory " /etc/redis/redis.conf')).toBe('maxmemory 268435456\n');
  }
  const { tank, dozer } = await points();
  expect([tank.at(-1), dozer.at(-1)]).toEqual(['pre-deploy-d', 'pre-deploy-d']);
});

it('--undo brings back what the roll-back of the old one left', async () => {
  await expectConverged(rollback('redis', '--undo', '--yes'));
  expect(await keys()).toEqual({ redis: 'of-a of-b of-b2 of-c', cache: 'of-c' });
});

it('prune --kept destroys what the roll-back of the old one left, where it is named', async () => {
  const [ofCache = ''] = leftByOld;
  await expectConverged(workspace.run('zfs', 'prune', '--kept', `--destroy=${ofCache}`, '--yes'));
  expect(await preserved()).toEqual([expect.stringMatching(/^tank\/mooring\/acceptance-redis-/)]);
  expect(await keys()).toEqual({ redis: 'of-a of-b of-b2 of-c', cache: 'of-c' });
});

it('rollback goes to a restore point of the old one, which has another name on each host', async () => {
  await stored.write('of-d', 'redis', 'cache');
  await expectConverged(rollback('zfs', `--before=${B}`, '--yes'));
  expect(await keys()).toEqual({ redis: 'of-a of-b of-c', cache: 'of-c' });
});

it('a restore point of a time when only one host had a container leaves the other host as it is', async () => {
  const output = await expectConverged(rollback('zfs', `--before=${C}`, '--yes'));
  expect(output).toContain('left as they are, because they were not there then: acceptance-cache');
  expect(await keys()).toEqual({ redis: 'of-a of-b', cache: 'of-c' });
});
