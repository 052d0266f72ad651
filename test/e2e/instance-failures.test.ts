import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { converge, expectConverged, expectRefused } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import { seenFromOutside } from './outside.ts';
import { run, type Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-inst';
/** Another Incus project, of somebody else. */
const OTHER = 'e2e-inst-other';
const secrets = makeSecrets('e2e-inst');
const NOTHING = `${ENVIRONMENT}: 0 changes; 3 round trips`;

let workspace: Workspace;
let redis: string;
let cache: string;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['redis'], secrets });
  // A second container of the same service: before it, and after it in the order of names, something is left to be touched.
  await cp(join(workspace.root, 'infra/redis'), join(workspace.root, 'infra/cache'), { recursive: true });
  [redis, cache] = [workspace.instance('redis'), workspace.instance('cache')];
});
afterAll(async () => {
  const projects = JSON.parse(await run('incus', ['query', '/1.0/projects'])) as string[];
  if (projects.includes(`/1.0/projects/${OTHER}`)) {
    const left = (await run('incus', ['list', '--project', OTHER, '--format=csv', '--columns=n'])).split('\n').filter(Boolean);
    if (left.length > 0) await run('incus', ['delete', '--force', '--project', OTHER, ...left]);
    await run('incus', ['project', 'delete', OTHER]);
  }
  await workspace.remove();
});

type Instance = { name: string; config: Record<string, string>; snapshots: { name: string; config: Record<string, string> }[] | null };
const instance = async (name: string) => (await workspace.api<Instance[]>('instances', '&recursion=2')).find((one) => one.name === name);
const configure = () => workspace.configure('--allow-dirty');

describe('name known in another project', () => {
  it('refused, nothing is created; --create=<name> lets it', async () => {
    await run('incus', [
      'project',
      'create',
      OTHER,
      '-c',
      'features.images=false',
      '-c',
      'features.profiles=false',
      '-c',
      'user.mooring.lab=true',
    ]);
    await run('incus', ['create', 'mooring-base', redis, '--project', OTHER, '--no-profiles', '--storage', 'lab']);
    await expectRefused(workspace, () => workspace.run('redis', 'configure', '--allow-dirty'), {
      says: [
        `${redis} is not in the Incus project ${ENVIRONMENT}, but it is known: an instance of that name is in the Incus project ${OTHER}`,
        `next:    check the environment's incus.project and prefix; if an empty ${redis} is truly wanted: --create=${redis}`,
      ],
    });
    expect(await expectConverged(workspace.run('redis', 'configure', '--allow-dirty', `--create=${redis}`))).toContain(
      'redis: provision: 1 change',
    );
  });

  it('once it exists, the other one does not matter, nor that it is gone', async () => {
    expect(await converge(workspace, 'redis')).toContain(NOTHING);
    await run('incus', ['delete', '--project', OTHER, redis]);
    expect(await converge(workspace, 'redis')).toContain(NOTHING);
  });
});

describe('foreign: an instance of the same name without our marks', () => {
  it('refused and left alone, and so is everything else', async () => {
    await workspace.incus('launch', 'mooring-base', cache, '--profile', 'veza-data', '--profile', 'veza-net');
    await workspace.guest('cache', 'echo theirs > /root/theirs');
    await expectRefused(workspace, configure, {
      says: [
        `${cache} exists, but it is not ours: it has no marks of nx-mooring. It is left alone.`,
        `next:    if it is to be taken over with its data (a restore point is made first): --adopt=${cache}`,
        `nx run cache:plan -c ${ENVIRONMENT} --adopt=${cache}`,
      ],
      containers: ['redis'],
    });
    expect((await instance(cache))?.snapshots ?? []).toEqual([]);
  });

  it('--adopt=<name> shows the plan, then takes it over, with a restore point of what it was', async () => {
    const before = await seenFromOutside(workspace, ['redis']);
    const plan = await expectConverged(workspace.run('cache', 'plan', `--adopt=${cache}`));
    expect(plan).toContain(`instance ${cache}`);
    expect(plan).toContain('adopted');
    expect(await seenFromOutside(workspace, ['redis'])).toEqual(before);

    await expectConverged(workspace.run('cache', 'provision', '--allow-dirty', `--adopt=${cache}`));
    const adopted = await instance(cache);
    expect(adopted?.config['user.mooring.environment']).toBe(ENVIRONMENT);
    expect(adopted?.config['user.mooring.uuid']).toBe(adopted?.config['volatile.uuid']);
    expect(adopted?.snapshots).toHaveLength(1);
    expect(adopted?.snapshots?.[0]?.config).not.toHaveProperty(['user.mooring.environment']);
    expect(await workspace.guest('cache', 'cat /root/theirs')).toBe('theirs\n');
  });
});

describe('dpkg interrupted', () => {
  it('by a kill -9 in the middle of an installation: it is resumed, and the deploy converges', async () => {
    // A package whose script kills the dpkg that runs it, the first time.
    await workspace.guest(
      'cache',
      `mkdir -p /root/p/DEBIAN; cd /root/p
printf 'Package: killer\\nVersion: 1\\nArchitecture: all\\nMaintainer: test <test@localhost>\\nDescription: kills dpkg\\n' > DEBIAN/control
printf '#!/bin/sh\\n[ -e /root/killed ] || { touch /root/killed; kill -9 $PPID; sleep 1; }\\n' > DEBIAN/postinst
chmod 755 DEBIAN/postinst; dpkg-deb -b . /root/killer.deb; if dpkg -i /root/killer.deb; then exit 1; fi`,
    );
    await expect(workspace.guest('cache', 'apt-get -y install killer 2>&1')).rejects.toThrow('dpkg was interrupted');
    expect(await converge(workspace)).toContain('cache: packages: create packages redis-server');
    expect(await workspace.guest('cache', "dpkg-query -W -f '${db:Status-Abbrev}' killer redis-server; dpkg --audit")).toBe('ii ii ');
    expect(await converge(workspace)).toContain(NOTHING);
  });
});

describe('copied with `incus copy`', () => {
  it('refused though it has all our marks; with the original back in its place, it converges', async () => {
    await workspace.incus('stop', cache);
    await workspace.incus('rename', cache, `${cache}-kept`);
    await workspace.incus('copy', `${cache}-kept`, cache);
    expect((await instance(cache))?.config['user.mooring.environment']).toBe(ENVIRONMENT);
    await expectRefused(workspace, configure, {
      says: [
        `${cache} exists, but it is not ours: its mark user.mooring.uuid is `,
        '; it looks like a copy',
        `next:    if it is to be taken over`,
      ],
      containers: ['redis'],
    });
    await workspace.incus('config', 'set', cache, 'security.protection.delete=false');
    await workspace.incus('delete', cache);
    await workspace.incus('rename', `${cache}-kept`, cache);
    expect(await converge(workspace)).toContain('cache: provision: 1 change');
    expect(await workspace.guest('cache', 'cat /root/theirs')).toBe('theirs\n');
  });
});

describe('container', () => {
  it('frozen: refused; thawed, it converges', async () => {
    const before = await seenFromOutside(workspace, ['redis', 'cache']);
    await workspace.incus('pause', redis);
    await expectRefused(workspace, configure, {
      says: [
        `${redis} is frozen: nothing in it can be asked or changed`,
        `next:    find out who froze it, then: incus resume ${redis} --project ${ENVIRONMENT}`,
      ],
      containers: ['cache'],
    });
    await workspace.incus('resume', redis);
    expect(await seenFromOutside(workspace, ['redis', 'cache'])).toEqual(before);
    expect(await converge(workspace)).toContain(NOTHING);
  });

  it('stopped: verify is refused and starts nothing; configure starts it, with its data', async () => {
    const application = new Application(workspace, ['redis']);
    await application.write(secrets, 'before it was stopped');
    await workspace.incus('stop', redis);
    await expectRefused(workspace, () => workspace.run('redis', 'verify'), {
      says: [`${redis} is absent, not ours or not running`, `next:    nx run redis:plan -c ${ENVIRONMENT}`],
      containers: ['cache'],
    });
    const output = await converge(workspace);
    expect(output).toContain('redis: provision: 1 change');
    expect(output).toContain('cache: configure: no changes');
    expect(await application.read(secrets)).toEqual({ redis: 'before it was stopped' });
  });
});

describe('in the container', () => {
  const drift = (project: string) => workspace.guest(project, "echo '# drift' >> /etc/redis/redis.conf");

  it('port taken: refused with the program that has it; free again, it converges', async () => {
    const squatter =
      'my $s = IO::Socket::INET->new(LocalPort => 6379, Listen => 5, ReuseAddr => 1) or die $!; while (my $c = $s->accept) { close $c }';
    await workspace.guest(
      'redis',
      `systemctl stop redis-server; systemd-run -q --unit=squatter perl -MIO::Socket::INET -e '${squatter}'; sleep 0.3`,
    );
    await expectRefused(workspace, configure, {
      says: [
        /port 6379 of the container is taken: perl \(process \d+ of squatter\.service\) listens on 0\.0\.0\.0:6379/,
        `host local, instance ${redis}`,
      ],
      containers: ['redis', 'cache'],
      restorePointMayStay: true,
    });
    await workspace.guest('redis', 'systemctl stop squatter');
    await converge(workspace);
    expect(await new Application(workspace, ['redis']).read(secrets)).toEqual({ redis: 'before it was stopped' });
  });

  it('disk full in the container: refused, and no half-written file is left in place; with room again, it converges', async () => {
    await workspace.guest(
      'redis',
      `cp -a /etc/redis /run/kept; mount -t tmpfs -o size=64k,mode=2770 full /etc/redis; cp -a /run/kept/. /etc/redis
chown redis:redis /etc/redis; echo '# drift' >> /etc/redis/redis.conf; dd if=/dev/zero of=/etc/redis/fill bs=1k status=none || true`,
    );
    await expectRefused(workspace, configure, {
      says: [
        'redis:configure:e2e-inst failed: update file /etc/redis/redis.conf failed',
        'No space left on device',
        'the former configuration runs again',
      ],
      containers: ['redis', 'cache'],
      restorePointMayStay: true,
    });
    await workspace.guest('redis', 'rm /etc/redis/fill');
    expect(await converge(workspace)).toContain('redis: configure: 1 change');
    await workspace.guest('redis', 'umount /etc/redis');
    expect(await converge(workspace)).toContain(NOTHING);
  });

  it('Redis snapshot fails: nothing else is touched; once it can be cut, everything converges', async () => {
    await drift('redis');
    await drift('cache');
    // btrfs refuses to put a new snapshot into a folder that is immutable.
    const folder = `/var/lib/incus/storage-pools/lab/containers-snapshots/${ENVIRONMENT}_${redis}`;
    await run('chattr', ['+i', folder]);
    try {
      const output = await expectRefused(workspace, configure, {
        says: [
          /could not cut the restore point pre-deploy-\S+; nothing else was changed/,
          `incus --force-local snapshot create ${redis} pre-deploy-`,
          'Operation not permitted',
          `next:    the snapshots of ${cache} are kept; ${redis} has none. Fix the cause, then run the same command again`,
        ],
        containers: ['redis', 'cache'],
        restorePointMayStay: true,
      });
      expect(output).not.toMatch(/: configure: \d+ change/);
    } finally {
      await run('chattr', ['-i', folder]);
    }
    const output = await converge(workspace);
    expect(output).toContain('redis: configure: 1 change');
    expect(output).toContain('cache: configure: 1 change');
    expect(await converge(workspace)).toContain(NOTHING);
  });
});
