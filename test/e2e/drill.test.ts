import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { expectConverged } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import { jsonIn, jsonLinesIn } from './output.ts';
import { seenFromOutside } from './outside.ts';
import { RunningNx } from './running.ts';
import type { Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-drill';
const CONTAINERS = ['redis', 'postgres'];
const secrets = makeSecrets('drill');

type Report = {
  instance: string;
  snapshot: string;
  release: string;
  census: { kind: string; name: string; count: number; of: string }[];
  seconds: Record<string, number>;
  rollback: number;
  without: string[];
  drill: string;
};

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: CONTAINERS, secrets });
  expect(await workspace.configure()).toMatchObject({ code: 0 });
  await new Application(workspace, CONTAINERS).write(secrets, 'before');
  await restorePoint();
});
afterAll(() => workspace.remove());

/** A deploy of a new release that has something to change: so it cuts a restore point. @returns the release */
async function restorePoint(): Promise<string> {
  const release = await workspace.commit('another release');
  await workspace.guest('redis', "sed -i 's/^maxmemory .*/maxmemory 1mb/' /etc/redis/redis.conf");
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  return release;
}

const instances = async () => (await workspace.incus('list', '--format=csv', '--columns=n')).split('\n').filter(Boolean).sort();
const live = CONTAINERS.map((container) => `${ENVIRONMENT}-${container}`).sort();
const logged = async () =>
  jsonLinesIn<{ what: string; result: string; container?: string }>(await expectConverged(workspace.run('zfs', 'log', '--json')));

describe('a restore point that is whole', () => {
  it('passes, tells what is in it, and leaves the live containers and the host as they were', async () => {
    const before = await seenFromOutside(workspace, CONTAINERS);
    const [redis, postgres] = await Promise.all(CONTAINERS.map((container) => workspace.run(container, 'drill', '--json')));
    expect(redis?.code, redis?.output).toBe(0);
    expect(postgres?.code, postgres?.output).toBe(0);
    const report = jsonIn<Report>(postgres?.output ?? '');
    expect(report.census).toMatchObject([{ kind: 'table', name: 'veza.public.kept', count: 1, of: 'rows' }]);
    expect(report.without).toEqual(['network (eth0)']);
    expect(report.rollback).toBeGreaterThan(0);
    expect(jsonIn<Report>(redis?.output ?? '').census).toMatchObject([{ kind: 'database', name: 'db0', count: 1, of: 'keys' }]);
    expect(await seenFromOutside(workspace, CONTAINERS)).toEqual(before);
    expect(await instances()).toEqual(live);
    expect((await logged()).slice(-2)).toMatchObject([
      { what: 'drill', result: 'ok' },
      { what: 'drill', result: 'ok' },
    ]);
  });

  it('what was written since is not in it; the report is for a reader', async () => {
    await new Application(workspace, CONTAINERS).write(secrets, 'after');
    const { code, output } = await workspace.run('postgres', 'drill');
    expect(code, output).toBe(0);
    expect(output).toMatch(/postgres: pre-deploy-[0-9a-f]{12} can be restored \(cut .* UTC, .* ago, before [0-9a-f]{12}\)/);
    expect(output).toContain('table veza.public.kept: 1 rows');
    expect(output).toMatch(/a real roll-back would take about \d+ s/);
    expect(await workspace.guest('postgres', 'runuser -u postgres -- psql -At -d veza -c "select count(*) from kept"')).toBe('2\n');
  });

  it('is named, or the newest; what is not there is refused with what there is', async () => {
    const { code, output } = await workspace.run('redis', 'drill', '--to=pre-deploy-000000000000');
    expect(code).toBe(1);
    expect(output).toMatch(/there is no restore point pre-deploy-000000000000; there are pre-deploy-[0-9a-f]{12}/);
    expect(await instances()).toEqual(live);
  });
});

it('what a killed drill has left is taken away by the next one, and not before its lease has run out', async () => {
  const killed = new RunningNx(workspace, ['run', 'redis:drill', '-c', ENVIRONMENT, '--output-style=static']);
  while ((await instances()).length === live.length) {
    if (killed.over) throw new Error(`it has ended before anything was made: ${(await killed.ended).output}`);
  }
  killed.killAll();
  await killed.ended;
  const [left] = (await instances()).filter((name) => !live.includes(name));
  expect(left).toMatch(/^drill-e2e-drill-redis-[0-9a-f]{6}$/);
  const refused = await workspace.run('redis', 'drill');
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('is held by another run');
  expect(await instances()).toContain(left);
  const { code, output } = await workspace.run('redis', 'drill', '--lease-wait=90s');
  expect(code, output).toBe(0);
  expect(output).toContain(`removed ${left}`);
  expect(await instances()).toEqual(live);
});

it('--keep leaves it, and the next drill leaves it too', async () => {
  const { code, output } = await workspace.run('redis', 'drill', '--keep');
  expect(code, output).toBe(0);
  const [kept] = (await instances()).filter((name) => !live.includes(name));
  expect(output).toContain(`incus delete ${kept} --project ${ENVIRONMENT}`);
  const again = await workspace.run('redis', 'drill');
  expect(again.code, again.output).toBe(0);
  expect(again.output).toContain(`${kept} was kept by run`);
  expect(await instances()).toContain(kept);
  await workspace.incus('delete', '--force', String(kept));
});

describe('a restore point whose files were damaged', () => {
  /** Restore point of a PostgreSQL whose files were changed while it was stopped; the live one is fixed again. */
  async function damaged(file: string, command: string): Promise<string> {
    await workspace.guest('postgres', `systemctl stop 'postgresql@*'; f=${file}; cp -a "$f" /root/whole; ${command}`);
    const release = await workspace.commit('over damage');
    // The snapshot is made as a deploy makes it, but no deploy comes through over such files.
    expect((await workspace.configure()).output).toContain(`cut pre-deploy-${release.slice(0, 12)} of `);
    await workspace.guest('postgres', `systemctl stop 'postgresql@*'; f=${file}; cp -a /root/whole "$f"; systemctl start postgresql`);
    return release;
  }

  it('a damaged page of a table: the server starts, and the drill finds it', async () => {
    const path = (
      await workspace.guest(
        'postgres',
        `runuser -u postgres -- psql -At -d veza -c checkpoint -c "select current_setting('data_directory') || '/' || pg_relation_filepath('kept')"`,
      )
    ).split('\n')[1];
    const release = await damaged(String(path), 'printf damaged | dd of="$f" bs=1 seek=8000 conv=notrunc status=none');
    const { code, output } = await workspace.run('postgres', 'drill', `--to=${release}`);
    expect(code).toBe(1);
    expect(output).toMatch(/was not proved restorable: postgres runs, but what it holds could not be read/);
    expect(output).toMatch(/invalid page in block 0 of relation/);
    expect(output).toMatch(/^ *next: {4}\S/m);
    expect(await instances()).toEqual(live);
    expect((await logged()).at(-1)).toMatchObject({ what: 'drill', result: 'failed', container: `${ENVIRONMENT}-postgres` });
  });

  it('a damaged control file: the server does not start, and its last words are told', async () => {
    const release = await damaged(
      '$(echo /var/lib/postgresql/*/main/global/pg_control)',
      'printf damaged | dd of="$f" bs=1 seek=16 conv=notrunc status=none',
    );
    const { code, output } = await workspace.run('postgres', 'drill', `--to=${release}`);
    expect(code).toBe(1);
    expect(output).toMatch(/was not proved restorable: postgres did not come up: its unit postgresql@\d+-main\.service has failed/);
    expect(output).toContain('last log lines of postgresql@*');
    expect(output).toMatch(/incorrect checksum in control file/);
    expect(await instances()).toEqual(live);
  });
});
