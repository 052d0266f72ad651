// biome-ignore-all lint/style/noExcessiveLinesPerFile: its tests share one deployed environment, and a second file would deploy another
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Application, makeSecrets, type Secrets } from './application.ts';
import { s3 } from './clients.ts';
import { makeWorkspace } from './make-workspace.ts';
import { jsonIn, jsonLinesIn, planned } from './output.ts';
import { seenFromOutside } from './outside.ts';
import type { Workspace } from './workspace.ts';

const PROJECTS = ['postgres', 'redis', 'rabbitmq', 'minio'];
const ENVIRONMENT = 'e2e-services';
const EACH_LET_IN = Object.fromEntries(PROJECTS.map((project) => [project, 'let in']));

let workspace: Workspace;
let application: Application;
let secrets: Secrets = makeSecrets('the-first');
/** HEAD of the workspace. */
let head: string;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: PROJECTS, secrets: { ...secrets }, over: { retention: 2 } });
  application = new Application(workspace);
  head = (await workspace.commit('the settings')).trim();
});
afterAll(() => workspace.remove());

type Instance = { name: string; config: Record<string, string>; snapshots: { name: string; config: Record<string, string> }[] | null };
const instances = () => workspace.api<Instance[]>('instances', '&recursion=2');

/** Instance names with the release that they are marked with and their snapshots. */
async function releases(): Promise<Record<string, { release: string | undefined; snapshots: string[] }>> {
  const entries = (await instances()).map(({ name, config, snapshots }) => {
    return [name, { release: config['user.mooring.release'], snapshots: (snapshots ?? []).map((one) => one.name).sort() }];
  });
  return Object.fromEntries(entries);
}

const onEach = <T>(value: T) => Object.fromEntries(PROJECTS.map((project) => [workspace.instance(project), value]));
const newRelease = () => randomBytes(20).toString('hex');

async function configureWell(...flags: readonly string[]): Promise<string> {
  const { code, output } = await workspace.configure(...flags);
  expect(code, output).toBe(0);
  return output;
}

describe('first run', () => {
  it('creates, configures and verifies all four services in one command', async () => {
    const output = await configureWell();
    for (const service of PROJECTS)
      expect(output).toMatch(
        new RegExp(`${service}: configure: \\d+ changes.*; ${service} \\S+ is healthy \\(.*, from inside and over [\\d.]+\\)`),
      );
    expect(await releases()).toEqual(onEach({ release: head, snapshots: [] }));
    for (const project of PROJECTS)
      expect(await workspace.incus('config', 'get', workspace.instance(project), 'security.protection.delete')).toBe('true\n');
  });

  it('lets the clients of an application in with the generated credentials; they write data', async () => {
    await application.write(secrets, 'written at first');
    expect(await application.read(secrets)).toEqual(Object.fromEntries(PROJECTS.map((project) => [project, 'written at first'])));
  });
});

describe('second run', () => {
  it('does nothing, seen from outside, in 3 round trips', async () => {
    const before = await seenFromOutside(workspace, PROJECTS);
    expect(await configureWell()).toContain(`${ENVIRONMENT}: 0 changes; 3 round trips`);
    expect(await seenFromOutside(workspace, PROJECTS)).toEqual(before);
  });

  it('plan --fail-on-changes says 0 changes and exits 0, and has changed nothing', async () => {
    const before = await seenFromOutside(workspace, PROJECTS);
    const { code, changes, output } = await planned(workspace, '--fail-on-changes');
    expect(changes).toEqual([]);
    expect(output).toContain(`0 changes: ${ENVIRONMENT} is as the settings say`);
    expect(code, output).toBe(0);
    expect(await seenFromOutside(workspace, PROJECTS)).toEqual(before);
  });

  it('does nothing with --batch=false either, seen from outside', async () => {
    const before = await seenFromOutside(workspace, PROJECTS);
    const output = await configureWell('--batch=false');
    for (const project of PROJECTS) expect(output).toContain(`${project}: configure: no changes`);
    expect(output).not.toMatch(/[1-9]\d* changes?\b/);
    expect(await seenFromOutside(workspace, PROJECTS)).toEqual(before);
  });
});

describe('what is told', () => {
  it('status --json has a row a container, true in every field; <container>:status its row', async () => {
    const rows = await Promise.all(
      PROJECTS.map(async (project) => ({
        container: project,
        instance: workspace.instance(project),
        host: 'local',
        service: project,
        state: 'running',
        address: await application.address(project),
        version: expect.stringMatching(/^\S+$/),
        health: 'healthy',
        healthReasons: [],
        release: head,
        restorePoints: 0,
        drift: 'none',
      })),
    );
    const { code, output } = await workspace.run('zfs', 'status', '--json');
    expect(code, output).toBe(0);
    const { environment, containers } = jsonIn<{ environment: string; containers: { container: string }[] }>(output);
    expect(environment).toBe(ENVIRONMENT);
    expect(containers.map(({ container }) => container).sort()).toEqual([...PROJECTS].sort());
    expect(containers).toEqual(expect.arrayContaining(rows));
    const one = await workspace.run('redis', 'status', '--json');
    expect(jsonIn<{ containers: unknown[] }>(one.output).containers).toEqual(rows.filter(({ container }) => container === 'redis'));
  });

  it('verify asks every service, from inside and over its address', async () => {
    const { code, output } = await workspace.nx(['run-many', '-t', 'verify', `--configuration=${ENVIRONMENT}`, '--output-style=static']);
    expect(code, output).toBe(0);
    for (const project of PROJECTS) expect(output).toContain(`from inside and over ${await application.address(project)})`);
  });

  it('inventory is what Ansible takes: groups, and hosts with the connection community.general.incus', async () => {
    const { code, output } = await workspace.run('zfs', 'inventory', '--out=.nx/inventory.json');
    expect(code, output).toBe(0);
    const inventory = JSON.parse(await readFile(join(workspace.root, '.nx/inventory.json'), 'utf8'));
    expect(inventory.data.children.sort()).toEqual([...PROJECTS].sort());
    for (const project of PROJECTS) {
      const instance = workspace.instance(project);
      expect(inventory[project].hosts).toEqual([instance]);
      expect(inventory._meta.hostvars[instance]).toMatchObject({
        ansible_connection: 'community.general.incus',
        ansible_incus_host: instance,
        ansible_incus_project: ENVIRONMENT,
        mooring_address: await application.address(project),
      });
    }
  });

  it('log --json tells who did what and how it ended; its file on the host is 0600', async () => {
    const { code, output } = await workspace.run('zfs', 'log', '--json', '--limit=100');
    expect(code, output).toBe(0);
    const entries = jsonLinesIn<{
      run: string;
      who: string;
      what: string;
      result: string;
      release: string;
      container?: string;
      changes?: string[];
    }>(output);
    const [first] = entries;
    expect(first).toMatchObject({ what: 'deploy', result: 'started', release: head, who: expect.stringMatching(/^root@/) });
    const ofFirst = entries.filter(({ run }) => run === first?.run);
    for (const project of PROJECTS) {
      const done = ofFirst.filter(({ container }) => container === workspace.instance(project));
      expect(done.map(({ what, result }) => `${what} ${result}`)).toEqual(['provision ok', 'configure ok', 'place ok']);
      expect(done[1]?.changes).toEqual(
        expect.arrayContaining([expect.stringMatching(project === 'minio' ? /^create file \/usr\/local\/bin\/minio/ : /^create package/)]),
      );
    }
    expect(ofFirst.at(-1)).toMatchObject({ what: 'deploy', result: 'ok' });
    const file = `/var/lib/mooring/${ENVIRONMENT}/audit.jsonl`;
    expect(((await stat(file)).mode & 0o7777).toString(8)).toBe('600');
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(entries.length);
  });
});

describe('releases and restore points', () => {
  it('--release=B with HEAD at A leaves marks and snapshots of B only', async () => {
    const b = newRelease();
    await configureWell(`--release=${b}`);
    expect(await releases()).toEqual(onEach({ release: b, snapshots: [`pre-deploy-${b}`] }));
    const marks = (await instances()).flatMap(({ config, snapshots }) => [
      ...Object.entries(config).filter(([key]) => key.startsWith('user.mooring.')),
      // A snapshot has the instance's own marks of that time too; what it is itself stands in the set's.
      ...(snapshots ?? []).flatMap((snapshot) => Object.entries(snapshot.config).filter(([key]) => key.startsWith('user.mooring.set'))),
    ]);
    expect(marks.filter(([, value]) => value.includes(b))).toHaveLength(PROJECTS.length * 5);
    expect(marks.filter(([, value]) => value.includes(head))).toEqual([]);
  });

  it('a new release cuts one set over all containers, and old ones are pruned to the retention; what is not ours stays', async () => {
    await workspace.incus('snapshot', 'create', workspace.instance('redis'), 'by-hand');
    const [c, d] = [newRelease(), newRelease()];
    const output = await configureWell(`--release=${c}`);
    // All four have become quiet; a failure would be a warning.
    expect(output).toContain(`cut pre-deploy-${c.slice(0, 12)} of `);
    expect(output).not.toMatch(/(before|after) the cut:/);
    await configureWell(`--release=${d}`);
    const sets = [`pre-deploy-${c}`, `pre-deploy-${d}`].sort();
    expect(await releases()).toEqual({
      ...onEach({ release: d, snapshots: sets }),
      [workspace.instance('redis')]: { release: d, snapshots: ['by-hand', ...sets].sort() },
    });
    await workspace.incus('snapshot', 'delete', workspace.instance('redis'), 'by-hand');
    expect(await configureWell(`--release=${d}`)).toContain('0 changes; 3 round trips');
    expect(await releases()).toEqual(onEach({ release: d, snapshots: sets }));
  });

  // PostgreSQL and Redis are drilled in drill.test.ts.
  it.each([
    ['rabbitmq', { kind: 'queue', name: '/veza: kept', count: 1, of: 'messages' }],
    ['minio', { kind: 'bucket', name: `veza-${ENVIRONMENT}`, count: 1, of: 'objects' }],
  ])('%s: the newest one can be restored, and what is in it is counted', async (container, counted) => {
    const { code, output } = await workspace.run(container, 'drill', '--json');
    expect(code, output).toBe(0);
    expect(jsonIn<{ census: unknown[] }>(output).census).toContainEqual(expect.objectContaining(counted));
  });
});

describe('drift', () => {
  const release = newRelease();
  beforeAll(async () => {
    await configureWell(`--release=${release}`);
  });

  it('a changed redis.conf, a dropped permission, an edited pg_hba.conf and a deleted bucket: plan shows exactly that, configure repairs it', async () => {
    await workspace.guest('redis', "sed -i 's/^maxmemory .*/maxmemory 1mb/' /etc/redis/redis.conf");
    await workspace.guest('rabbitmq', 'rabbitmqctl -q clear_permissions -p /veza veza');
    await workspace.guest(
      'postgres',
      'echo "host all all 0.0.0.0/0 trust" >>$(ls /etc/postgresql/*/main/pg_hba.conf); systemctl reload postgresql',
    );
    const minio = await application.address('minio');
    for (const path of [`/${application.bucket}/kept`, `/${application.bucket}/attempt`, `/${application.bucket}`]) {
      await s3(minio, { accessKey: String(secrets.MINIO_ROOT_USER), secretKey: String(secrets.MINIO_ROOT_PASSWORD) }, 'DELETE', path);
    }
    const { code, changes, output } = await planned(workspace, '--fail-on-changes', `--release=${release}`);
    expect(code, output).toBe(1);
    expect(changes.sort()).toEqual([
      `minio objects: create bucket ${application.bucket}`,
      expect.stringMatching(/^postgres config: update file \/etc\/postgresql\/\d+\/main\/pg_hba\.conf$/),
      expect.stringMatching(/^postgres config: update unit postgresql@\d+-main \(reload\)$/),
      'postgres objects: known after config',
      'rabbitmq objects: create permissions of veza on /veza',
      'redis config: update file /etc/redis/redis.conf',
    ]);
    const { code: unforced } = await planned(workspace, `--release=${release}`);
    expect(unforced).toBe(0);

    const before = (await releases())[workspace.instance('redis')]?.snapshots ?? [];
    await configureWell(`--release=${release}`);
    expect(await workspace.guest('redis', 'grep ^maxmemory /etc/redis/redis.conf')).toContain('maxmemory 268435456');
    expect(await workspace.guest('rabbitmq', 'rabbitmqctl -q list_permissions -p /veza')).toMatch(/veza\s+\.\*\s+\.\*\s+\.\*/);
    expect(await workspace.guest('postgres', 'cat /etc/postgresql/*/main/pg_hba.conf')).not.toContain('trust');
    expect(await application.attempt(secrets)).toEqual(EACH_LET_IN);
    // This release had been completed: a restart point of what drifted was cut before the first change.
    const cut = ((await releases())[workspace.instance('redis')]?.snapshots ?? []).filter((name) => !before.includes(name));
    expect(cut).toEqual([`pre-deploy-${release}-2`]);
    await s3(minio, application.keys(secrets), 'PUT', `/${application.bucket}/kept`, 'written at first');
  });

  it('stopped services: plan shows exactly that, configure starts them, and the data is there', async () => {
    await workspace.guest('postgres', 'systemctl stop "postgresql@*-main.service"');
    await workspace.guest('redis', 'systemctl stop redis-server');
    await workspace.guest('minio', 'systemctl stop minio');
    await workspace.guest('rabbitmq', 'systemctl stop rabbitmq-server');
    const { code, changes, output } = await planned(workspace, '--fail-on-changes', `--release=${release}`);
    expect(code, output).toBe(1);
    expect(changes.filter((change) => !change.includes('known after')).sort()).toEqual([
      'minio config: update unit minio.service (restart)',
      expect.stringMatching(/^postgres config: update unit postgresql@\d+-main \(restart\)$/),
      'rabbitmq config: update unit rabbitmq-server.service (restart)',
      'redis config: update unit redis-server (restart)',
    ]);
    await configureWell(`--release=${release}`);
    expect(await application.read(secrets)).toEqual(Object.fromEntries(PROJECTS.map((project) => [project, 'written at first'])));
    expect(await planned(workspace, '--fail-on-changes')).toMatchObject({ code: 0, changes: [] });
  });
});

describe('rotation', () => {
  async function rotate(next: Record<string, string>): Promise<void> {
    const old = secrets;
    await workspace.secrets(next);
    const { code, changes, output, file } = await planned(workspace, '--fail-on-changes');
    expect(code, output).toBe(1);
    for (const project of PROJECTS)
      expect(
        changes.some((change) => change.startsWith(project)),
        `${project}: ${changes}`,
      ).toBe(true);
    expect(output.match(/\(secret, differs\) -> \(secret\)/g)?.length, output).toBeGreaterThanOrEqual(PROJECTS.length);
    const told = await configureWell();
    for (const value of [...Object.values(old), ...Object.values(next)]) {
      for (const text of [output, file, told]) expect(text.includes(value), 'a secret is shown').toBe(false);
    }
    secrets = next;
    expect(await application.attempt(secrets)).toEqual(EACH_LET_IN);
    expect(await application.read(secrets)).toEqual(Object.fromEntries(PROJECTS.map((project) => [project, 'written at first'])));
    expect(await planned(workspace, '--fail-on-changes')).toMatchObject({ code: 0, changes: [] });
  }

  it('of every secret: the new one works, the old one stops working', async () => {
    const old = secrets;
    await rotate(makeSecrets('the-second'));
    expect(await application.attempt(old)).toEqual({
      postgres: expect.stringContaining('password authentication failed'),
      redis: expect.stringContaining('WRONGPASS'),
      rabbitmq: expect.stringContaining('ACCESS_REFUSED'),
      minio: expect.stringContaining('InvalidAccessKeyId'),
    });
    const minio = await application.address('minio');
    const list = (of: Secrets, name: string, key: string) =>
      s3(minio, { accessKey: String(of[name]), secretKey: String(of[key]) }, 'GET', '/');
    await expect(list(old, 'MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD')).rejects.toThrow('InvalidAccessKeyId');
    await expect(list(secrets, 'MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD')).resolves.toContain(application.bucket);
    await expect(
      s3(minio, { ...application.keys(secrets), secretKey: application.keys(old).secretKey }, 'GET', `/${application.bucket}/kept`),
    ).rejects.toThrow('SignatureDoesNotMatch');
    expect(await workspace.guest('rabbitmq', 'cat /var/lib/rabbitmq/.erlang.cookie; rabbitmqctl -q status >/dev/null')).toBe(
      secrets.RABBITMQ_ERLANG_COOKIE,
    );
  });

  // Access keys of MinIO and Erlang cookies are of a smaller alphabet by their products' own rules; passwords are not.
  it('to a secret with quotes, newline, $(), $HOME, 500 characters, non-ASCII: works for each service', async () => {
    const odd = `quotes " ' \`, newline \n, $(touch /tmp/mooring-was-here), $HOME \${HOME}, backslash \\ \\n, %s, ünïcödé ✓. `;
    const value = `${odd.repeat(10).slice(0, 499)}.`;
    expect([...value]).toHaveLength(500);
    await rotate({ ...makeSecrets('the-third'), ...passwords(value) });
    for (const project of PROJECTS) expect(await workspace.guest(project, 'ls /tmp')).not.toContain('mooring-was-here');
    await expect(stat('/tmp/mooring-was-here')).rejects.toThrow('ENOENT');
  });

  function passwords(value: string): Record<string, string> {
    return Object.fromEntries(
      ['POSTGRES_PASSWORD', 'REDIS_PASSWORD', 'RABBITMQ_PASSWORD', 'MINIO_ROOT_PASSWORD', 'MINIO_SECRET_KEY'].map((name) => [name, value]),
    );
  }
});
