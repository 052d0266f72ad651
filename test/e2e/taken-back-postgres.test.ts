import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { sql } from './clients.ts';
import { jsonIn } from './output.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';
import { Writer } from './writer.ts';

/** A bad setting of PostgreSQL never leaves it down: refused beforehand where a server can be started with it, else taken back. */

const ENVIRONMENT = 'e2e-postgres-back';
const SECRETS = makeSecrets('postgres-back');
const PASSWORD = SECRETS.POSTGRES_PASSWORD as string;
const CONF = '/etc/postgresql/*/main/conf.d/90-mooring.conf';

/** What listens on that port, in Perl. */
const LISTEN =
  'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1); bind(S, sockaddr_in(9432, INADDR_ANY)) or die; listen(S, 5); sleep';

let workspace: Workspace;
let address: string;
let writer: Writer;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['postgres'], secrets: SECRETS });
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  address = await new Application(workspace, ['postgres']).address('postgres');
  await sql(address, PASSWORD, 'create table written (number int primary key)');
});
afterAll(() => workspace?.remove());

/** Numbers that were acknowledged, of all tests. */
const acknowledged: number[] = [];
/** The first number that was not used yet. */
let next = 0;
beforeEach(() => {
  const first = next;
  writer = new Writer(async (number) => {
    next = first + number + 1;
    await sql(address, PASSWORD, `insert into written values (${first + number})`);
    acknowledged.push(first + number);
  });
});
afterEach(() => writer.stop());

/** Everything that was acknowledged is there. */
async function nothingIsLost(): Promise<void> {
  await writer.stop();
  const rows = (await sql(address, PASSWORD, 'select number from written')) as { number: number }[];
  const there = new Set(rows.map(({ number }) => number));
  expect(acknowledged.filter((number) => !there.has(number))).toEqual([]);
}

async function set(parameters: Record<string, unknown>, others: Record<string, unknown> = {}): Promise<void> {
  await workspace.edit('infra/postgres/container.json', (file) =>
    Object.assign(file.settings as object, { parameters, port: 5432, ...others }),
  );
  await workspace.commit(`parameters: ${JSON.stringify(parameters)}`);
}

const pid = () => workspace.guest('postgres', 'head -n 1 /var/lib/postgresql/*/main/postmaster.pid');
const conf = () => workspace.guest('postgres', `cat ${CONF}`);

/** Deploys settings that cannot be, under a client that writes. */
async function deployBad(parameters: Record<string, unknown>, others: Record<string, unknown> = {}): Promise<string> {
  await set(parameters, others);
  await writer.start();
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(1);
  return output;
}

it.each([
  { what: 'wal_level=minimal', parameters: { wal_level: 'minimal' }, says: 'requires wal_level "replica" or "logical"' },
  { what: 'a library that is not there', parameters: { shared_preload_libraries: 'pg_cron' }, says: 'could not access file "pg_cron"' },
  { what: 'a port that is taken', parameters: {}, others: { port: 9432 }, says: 'port 9432 of the container is taken' },
])('refuses $what: no write fails, the server is the same', async ({ parameters, others = {}, says }) => {
  if (others.port !== undefined) await workspace.guest('postgres', `systemd-run --quiet --unit=taken perl -e '${LISTEN}'`);
  const before = { pid: await pid(), conf: await conf() };
  expect(await deployBad(parameters, others)).toContain(says);
  await writer.stop();
  expect(writer.failures).toEqual([]);
  expect({ pid: await pid(), conf: await conf() }).toEqual(before);
  await nothingIsLost();
});

it('tries it beside the live server: in little memory, nothing is archived, nothing is written elsewhere', async () => {
  await workspace.incus('config', 'set', workspace.instance('postgres'), 'limits.memory=300MiB');
  const before = await pid();
  await workspace.guest('postgres', 'touch /root/stamp; sleep 0.1');
  const archive = { archive_mode: 'on', archive_command: 'touch /var/lib/archived', archive_timeout: 1 };
  await set({ shared_buffers: '8GB', ...archive });
  const refused = await workspace.run('postgres', 'plan');
  expect(refused.code, refused.output).toBe(1);
  expect(refused.output).toMatch(/the server would use 8\d{3} MB of shared memory, and the container has 300 MB/);
  await set({ shared_buffers: '64MB', ...archive });
  const planned = await workspace.run('postgres', 'plan');
  expect(planned.code, planned.output).toBe(0);
  expect(planned.output).toContain('archive_command');
  expect(planned.output).not.toContain('could not be tried');

  expect(await pid()).toBe(before);
  // What the live server and systemd write themselves.
  const elsewhere = ['/proc', '/sys', '/run', '/dev', '/var/log/journal', '/var/lib/postgresql', '/var/log/postgresql'];
  const prune = elsewhere.map((path) => `-path ${path}`).join(' -o ');
  expect(await workspace.guest('postgres', `find / \\( ${prune} \\) -prune -o -type f -newer /root/stamp -print`)).toBe('');
  await workspace.incus('config', 'unset', workspace.instance('postgres'), 'limits.memory');
});

it('takes back what only the real start refuses: it answers again, nothing acknowledged is lost, and with the setting corrected it deploys', async () => {
  await workspace.guest(
    'postgres',
    `unit=/etc/systemd/system/postgresql@.service.d; mkdir -p $unit
printf '%s\\n' '[Service]' 'ExecStartPre=/bin/sh -c "! grep -q max_connections.*90 ${CONF}"' >$unit/90-refuses.conf; systemctl daemon-reload`,
  );
  const before = await conf();
  const output = await deployBad({ max_connections: 90 });
  expect(output).toContain('the former configuration runs again: postgres is healthy');
  expect(output).toContain('taking back: update file /etc/postgresql/');
  expect(await conf()).toBe(before);
  // It answers again: the client goes on writing.
  const written = writer.acknowledged.length;
  await expect.poll(() => writer.acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(written);
  await nothingIsLost();

  await set({ max_connections: 80 });
  await workspace.guest('postgres', 'chmod 644 /etc/postgresql/*/main/pg_hba.conf');
  const corrected = await workspace.configure();
  expect(corrected.code, corrected.output).toBe(0);
  expect(await sql(address, PASSWORD, 'show max_connections')).toEqual([{ max_connections: '80' }]);
  expect(await workspace.guest('postgres', 'stat -c "%a %U" /etc/postgresql/*/main/pg_hba.conf')).toBe('640 postgres\n');
  expect((await workspace.configure()).output).toContain('0 changes');
});

it('takes back what leaves the application without work: default_transaction_read_only', async () => {
  const before = { pid: await pid(), conf: await conf() };
  const output = await deployBad({ max_connections: 80, default_transaction_read_only: 'on' });
  expect(output).toContain('role veza cannot write: default_transaction_read_only is on (set by: configuration file)');
  expect(output).toContain('the former configuration runs again: postgres is healthy');
  expect({ pid: await pid(), conf: await conf() }).toEqual(before);
  await nothingIsLost();
  await sql(address, PASSWORD, 'insert into written values (-1)');
});

it('says what somebody has to see to', async () => {
  await set({ max_connections: 80 });
  await workspace.guest('postgres', `cd /; su postgres -c "psql -qd veza -c 'revoke create on schema public from pg_database_owner'"`);
  const { code, output } = await workspace.run('postgres', 'status', '--json', '--fail-on=degraded');
  expect(code, output).toBe(1);
  const [row] = jsonIn<{ containers: { health: string; healthReasons: string[] }[] }>(output).containers;
  expect(row).toMatchObject({ health: 'degraded', healthReasons: ['role veza may make no table in schema public'] });
});
