import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../tools/executors/src/engine/command.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { rollBackInPlace } from '../../tools/executors/src/platforms/zfs/swap.ts';
import { redis as ask } from '../e2e/clients.ts';
import { converge, expectConverged } from '../e2e/expectations.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { startDeployed } from './deployed.ts';
import { addRedis, DistantApplication, dataset, discard, secrets } from './environment.ts';
import { everything, instances } from './looking.ts';
import { ALIAS, machine, SSH_CONFIG } from './machine.ts';

/** Redis alone: what stands in the way of a roll-back is the same for every container, and Redis is the fastest. */

let workspace: Workspace;
let redis: string;
const releases: string[] = [];

beforeAll(async () => {
  ({ workspace } = await startDeployed(['redis']));
  redis = dataset(workspace, 'redis');
});
afterAll(() => discard(workspace));

const command = async (...words: string[]) =>
  ask(await new DistantApplication(workspace).address('redis'), String(secrets.REDIS_PASSWORD), words);
/** Deploys a release over a word in Redis, and writes another. */
async function deployOver(word: string): Promise<string> {
  await command('SET', 'word', word);
  const release = await workspace.commit(`release ${releases.length}`);
  releases.push(release);
  await converge(workspace, 'redis');
  await command('SET', 'word', `after ${word}`);
  return release;
}
const rollback = (...flags: string[]) => workspace.run('redis', 'rollback', ...flags, '--yes');

describe('a snapshot that is held and cloned, of a container that is stopped', () => {
  let release: string;
  beforeAll(async () => {
    release = await deployOver('held');
    await machine.zfs('hold', 'on-purpose', `${redis}@pre-deploy-${release}`);
    await machine.zfs('clone', '-o', 'mountpoint=/mnt/clone', `${redis}@pre-deploy-${release}`, 'tank/somebody');
    await machine.sh(`zfs snapshot ${redis}@newer; zfs hold on-purpose ${redis}@newer`);
    await workspace.incus('stop', workspace.instance('redis'));
  });

  it('is rolled back to, and the container is started', async () => {
    await expectConverged(rollback(`--before=${release}`));
    expect(await instances(workspace)).toContain(`${workspace.instance('redis')},RUNNING`);
    expect(await command('GET', 'word')).toContain('\r\nheld\r\n');
  });

  it('what was held stays held', async () => {
    const left = await machine.zfs('list', '-H', '-o', 'name,userrefs', '-t', 'snapshot', '-r', 'tank');
    expect(left.filter((line) => /@newer\t1$/.test(line))).toHaveLength(1);
    expect(left.filter((line) => line.endsWith(`@pre-deploy-${release}\t1`))).toHaveLength(1);
  });

  it('the clone stays and can be read', async () => {
    expect(await machine.zfs('list', '-H', '-o', 'name', 'tank/somebody')).toEqual(['tank/somebody']);
    expect(await machine.sh('ls /mnt/clone/rootfs/var/lib/redis')).toContain('appendonlydir');
  });
});

describe('a container that runs', () => {
  let release: string;
  beforeAll(async () => {
    release = await deployOver('running');
  });

  /** ZFS would do it under the database and call it a success. Incus mounts the dataset first of all, and still tells STOPPED then. */
  it.each([
    ['before the exchange', 'get -H -o value mounted'],
    ['in the middle of it', 'rename'],
  ])('is not exchanged when something starts it again %s', async (_, words) => {
    const name = workspace.instance('redis');
    // A `zfs` before the real one, which once, at these words, has the instance started, until it is mounted.
    await machine.sh(`touch /run/start-it; cat >/usr/local/sbin/zfs <<'END'
#!/bin/sh
case "$*" in
  '${words} ${redis}'*)
    if rm /run/start-it 2>/dev/null; then
      setsid incus start ${name} --project ${workspace.place.project} </dev/null >/dev/null 2>&1 &
      until [ "$(/usr/sbin/zfs get -H -o value mounted ${redis})" = yes ]; do :; done
    fi ;;
esac
exec /usr/sbin/zfs "$@"
END
chmod +x /usr/local/sbin/zfs`);
    const { code, output } = await rollback(`--before=${release}`);
    await machine.sh('rm /usr/local/sbin/zfs; ! [ -e /run/start-it ]');
    expect(code, output).toBe(1);
    expect(output).toContain('is in use: something has started its instance again');
    expect(output).toContain('The OLD state runs');
    expect(await command('GET', 'word')).toContain('\r\nafter running\r\n');
  });

  it('is not rolled back in place: refused by the very commands that would do it', async () => {
    const before = await everything();
    const host = await openHost({ host: ALIAS, sshConfig: SSH_CONFIG });
    const commands = rollBackInPlace(redis, `pre-deploy-${release}`, []).flatMap((change) => change.commands as readonly Command[]);
    const results = await host.run(commands, 'sequence').finally(() => host.close());
    expect(results).toMatchObject([{ code: 1, stderr: expect.stringContaining('is in use') }]);
    expect(await everything()).toEqual(before);
  });
});

describe('--in-place', () => {
  it('is refused where something newer would be destroyed, naming it; nothing is touched', async () => {
    const release = await deployOver('in place');
    await machine.zfs('snapshot', `${redis}@newest`);
    const before = await everything();
    const { code, output } = await rollback(`--before=${release}`, '--in-place');
    expect(code, output).toBe(1);
    expect(output).toContain('--discard-newer=newest,present');
    expect(await everything()).toEqual(before);
    await expectConverged(rollback(`--before=${release}`, '--in-place', '--discard-newer=newest,present'));
    expect(await command('GET', 'word')).toContain('\r\nin place\r\n');
  });
});

describe('an encrypted data set', () => {
  const key = '/root/key';
  it('whose key is not loaded: refused; loaded again, the state is kept inside its encryption root', async () => {
    await machine.sh(`echo correct-horse-battery > ${key}
zfs create -o mountpoint=none -o encryption=on -o keyformat=passphrase -o keylocation=file://${key} tank/secret
incus storage create secret zfs source=tank/secret/incus </dev/null`);
    await addRedis(workspace, 'cache', 'secret');
    await workspace.commit('a cache whose data is encrypted');
    await converge(workspace, 'cache');
    const release = await workspace.commit('the release after it');
    await converge(workspace, 'cache');
    await workspace.incus('stop', workspace.instance('cache'));
    await machine.sh('zfs unload-key -r tank/secret');
    const before = await everything();
    const refused = await workspace.run('cache', 'rollback', `--before=${release}`, '--yes');
    expect(refused.code, refused.output).toBe(1);
    expect(refused.output).toMatch(/the encryption key of tank\/secret\/\S+ is not loaded/);
    expect(refused.output).toContain('zfs load-key tank/secret');
    expect(await everything()).toEqual(before);
    await machine.sh('zfs load-key -r tank/secret');
    await expectConverged(workspace.run('cache', 'rollback', `--before=${release}`, '--yes'));
    expect(await machine.zfs('list', '-H', '-o', 'name', '-d', '1', 'tank/secret/mooring')).toContainEqual(
      expect.stringContaining('tank/secret/mooring/acceptance-cache-'),
    );
  });
});

describe('a user who may use Incus and has no permission on ZFS', () => {
  it('is told the line that gives it', async () => {
    await machine.sh('chown -R deploy /var/lib/mooring');
    await workspace.edit(workspace.environmentFile, (file) => Object.assign(file, { host: 'veza-acceptance-deploy' }));
    await workspace.commit('as the deploy');
    const { code, output } = await workspace.configure();
    expect(code, output).toBe(1);
    expect(output).toMatch(/zfs allow -u \S+ \S*snapshot\S* /);
  });
});
