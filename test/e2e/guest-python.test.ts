import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { configureGuest, deployToGuest, rollBackGuest, verifyGuest } from '../../tools/executors/src/shared/app/guest.ts';
import { type Guest, labAddress, launchGuest } from './app-guest.ts';
import { failure, runOn, settingsOf } from './app-run.ts';
import { type GitRepository, type GitServer, startGitServer } from './git-server.ts';
import { makeWorkspace } from './make-workspace.ts';
import { serveWheels, type Wheels } from './wheels.ts';
import { REPOSITORY } from './workspace.ts';

// pote: Python, with PostgreSQL in the guest, Alembic and scheduled jobs, over SSH.

let guest: Guest;
let git: GitServer;
let wheels: Wheels;
let repository: GitRepository;
let host: OpenHost;
let base: Record<string, unknown>;

beforeAll(async () => {
  const address = await labAddress();
  wheels = await serveWheels(join(REPOSITORY, 'infra/apps/pote/sample/requirements.txt'), address);
  [guest, git] = await Promise.all([launchGuest('e2e-guest-python'), startGitServer(address)]);
  repository = await git.repository('pote');
  host = await guest.open();
  base = {
    name: 'pote',
    kind: 'python',
    environment: 'qa',
    branch: 'main',
    repository: repository.url,
    deployKey: new Secret(git.deployKey),
    gitHostKeys: [git.hostKey],
    authorizedKeys: [guest.publicKey],
    python: { alembic: true, start: ['python', '-m', 'pote'] },
    postgres: { role: 'pote', database: 'pote', password: new Secret('p\'a:s/s @%w"örd?#') },
    buildVars: wheels.variables,
    health: { timeoutSeconds: 20 },
    jobs: [
      { name: 'summarise', schedule: 'Mon *-*-* 03:00:00', command: ['python', '-m', 'pote', 'summarise'] },
      { name: 'hourly', cron: '7 * * * *', command: ['python', '-m', 'pote', 'summarise'] },
    ],
  };
}, 300_000);
afterAll(async () => {
  await host?.close();
  await git?.stop();
  await wheels?.stop();
  await guest?.remove();
});

const run = (over: Record<string, unknown> = {}) => runOn(guest, host, settingsOf({ ...base, ...over }));
const health = async () => (await fetch(`http://${guest.address}:3001/health`)).json();
const sql = (text: string) =>
  guest.shell(`cd /; setpriv --reuid=postgres --regid=postgres --clear-groups psql -X -A -t -d pote -c "${text}"`);

it('the guest, its database and its jobs are set up, and the second time nothing is changed', async () => {
  expect((await configureGuest(run())).map(({ resource }) => resource)).toEqual(
    expect.arrayContaining(['role pote', 'database pote', 'unit app-job-summarise.timer', 'file /etc/cron.d/nx-mooring']),
  );
  const before = host.roundTrips;
  expect(await configureGuest(run())).toEqual([]);
  expect(host.roundTrips - before).toBe(1);
});

it('nobody outside reaches the database', async () => {
  (await host.connect(guest.address, 5432)).destroy();
  await expect(fetch(`http://${guest.address}:5432/`, { signal: AbortSignal.timeout(2000) })).rejects.toThrow();
  expect(await guest.shell("grep -c '^host ' /etc/postgresql/*/main/pg_hba.conf")).toBe('3\n');
});

it('the newest commit is built in a virtual environment of its own, migrated and made live', async () => {
  const plan = await deployToGuest(run());
  expect(await health()).toEqual({ app: 'pote', revision: '0002' });
  expect(await guest.shell('readlink -f /proc/$(systemctl show -P MainPID app-backend)/cwd')).toBe(`/srv/app/releases/${plan.release}\n`);
  expect(await verifyGuest(run(), host.connect, '127.0.0.1')).toMatchObject({ version: 'python' });
  expect((await deployToGuest(run())).changes).toEqual([]);
  expect(await configureGuest(run())).toEqual([]);
});

it('the job runs with the database of the application, started by its timer’s unit', async () => {
  await fetch(`http://${guest.address}:3001/readings`, { method: 'POST', body: '{"meter": "north", "value": 12.5}' });
  await guest.shell('systemctl start app-job-summarise.service');
  expect(await sql('SELECT readings FROM summaries')).toBe('1\n');
  expect(await guest.shell('systemctl list-timers --all --no-legend app-job-summarise.timer')).toContain('app-job-summarise.service');
  expect(await guest.shell('tail -n 1 /etc/cron.d/nx-mooring')).toBe('7 * * * * root /usr/bin/systemctl start app-job-hourly.service\n');
});

it('a schedule that systemd does not know is refused before anything is written', async () => {
  const jobs = [{ name: 'summarise', schedule: 'every full moon', command: ['true'] }];
  expect(await failure(configureGuest(run({ jobs })))).toContain('every full moon');
  expect(await guest.shell('grep OnCalendar /etc/systemd/system/app-job-summarise.timer')).toBe('OnCalendar=Mon *-*-* 03:00:00\n');
});

it('a job that the settings have no more is taken away', async () => {
  await configureGuest(run({ jobs: [] }));
  expect(await guest.shell('ls /etc/systemd/system | grep app-job || true; ls /etc/cron.d/nx-mooring 2>&1 || true')).toContain(
    'No such file',
  );
  expect(await guest.shell('systemctl list-timers --all --no-legend | grep app-job || true')).toBe('');
  await configureGuest(run());
});

const migration = (revision: string, body: string) =>
  `from alembic import op\n\nrevision = "${revision}"\ndown_revision = "0002"\n\n\ndef upgrade() -> None:\n    ${body}\n`;

it('several heads are refused before the database is touched', async () => {
  await repository.commit('two heads', {
    'migrations/versions/a.py': migration('a', 'op.execute("CREATE TABLE a ()")'),
    'migrations/versions/b.py': migration('b', 'op.execute("CREATE TABLE b ()")'),
  });
  const text = await failure(deployToGuest(run()));
  expect(text).toContain('Alembic has 2 heads');
  expect(text).toContain('nothing was switched');
  expect(await sql("SELECT version_num FROM alembic_version; SELECT to_regclass('a') IS NULL")).toBe('0002\nt\n');
  expect(await health()).toEqual({ app: 'pote', revision: '0002' });
  await repository.commit('one head', { 'migrations/versions/a.py': undefined, 'migrations/versions/b.py': undefined });
});

it('a migration that fails is undone by PostgreSQL, and the old release stays', async () => {
  const failing = migration('bad', 'op.execute("CREATE TABLE half ()"); op.execute("SELECT 1/0")');
  await repository.commit('bad migration', { 'migrations/versions/bad.py': failing });
  expect(await failure(deployToGuest(run()))).toContain('nothing was switched');
  expect(await sql("SELECT to_regclass('half') IS NULL")).toBe('t\n');
  expect(await health()).toEqual({ app: 'pote', revision: '0002' });
  await repository.commit('fixed', { 'migrations/versions/bad.py': undefined });
});

it('a requirement whose content is another one than its hash says is not installed', async () => {
  const requirements = await repository.read('requirements.txt');
  await repository.commit('other hash', {
    'requirements.txt': requirements.replace(
      /(waitress==\S+ \\\n)(?: +--hash=sha256:\w+(?: \\)?\n)+/,
      `$1    --hash=sha256:${'0'.repeat(64)}\n`,
    ),
  });
  expect(await failure(deployToGuest(run()))).toContain('HASHES');
  expect(await health()).toEqual({ app: 'pote', revision: '0002' });
  await repository.commit('fixed', { 'requirements.txt': requirements });
});

it('a new commit with a migration goes live; a roll-back brings the older code back', async () => {
  const first = (await guest.shell('cat /srv/app/current/.mooring-release/commit')).trim();
  const newer = await repository.commit('third', { 'migrations/versions/c.py': migration('0003', 'op.execute("CREATE TABLE c ()")') });
  expect((await deployToGuest(run())).commit).toBe(newer);
  expect(await health()).toEqual({ app: 'pote', revision: '0003' });
  expect((await rollBackGuest(run())).commit).toBe(first);
  expect(await health()).toEqual({ app: 'pote', revision: '0003' });
});

it('another password of the role is set in the server and in the application together', async () => {
  const postgres = { role: 'pote', database: 'pote', password: new Secret('another-password') };
  const changes = await configureGuest(run({ postgres }));
  expect(changes.map(({ resource }) => resource)).toEqual(['role pote', 'file /srv/app/.env.qa', 'unit app-backend.service']);
  expect(await health()).toMatchObject({ app: 'pote' });
  expect(await configureGuest(run({ postgres }))).toEqual([]);
});

it('the database may be the data tier’s in place of one in the guest', async () => {
  const data = await makeWorkspace({
    environment: 'e2e-guest-data',
    containers: ['postgres'],
    secrets: { POSTGRES_PASSWORD: 'of the d@ta tier' },
  });
  try {
    const { code, output } = await data.configure();
    expect(code, output).toBe(0);
    const address = (await data.guest('postgres', "ip -4 -o addr show dev eth0 | sed 's/.* inet \\([0-9.]*\\).*/\\1/'")).trim();
    const postgres = { role: 'veza', database: 'veza', password: new Secret('of the d@ta tier'), host: address };
    // As in a guest that has had no release yet: what runs here has its tables in the other database.
    await guest.shell('systemctl stop app-backend; rm /srv/app/current; rm -r /srv/app/releases/*; systemctl stop postgresql');
    expect((await configureGuest(run({ postgres }))).map(({ resource }) => resource)).toContain('file /srv/app/.env.qa');
    await deployToGuest(run({ postgres }));
    expect(await health()).toMatchObject({ app: 'pote' });
    await fetch(`http://${guest.address}:3001/readings`, { method: 'POST', body: '{"meter": "south", "value": 1}' });
    const rows = "cd /; setpriv --reuid=postgres --regid=postgres --clear-groups psql -X -A -t -d veza -c 'SELECT meter FROM readings'";
    expect(await data.guest('postgres', rows)).toBe('south\n');
    expect(await configureGuest(run({ postgres }))).toEqual([]);
  } finally {
    await data.remove();
  }
});
