// biome-ignore-all lint/style/noExcessiveLinesPerFile: its tests share one deployed environment, and a second file would deploy another
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { sql } from './clients.ts';
import { makeWorkspace } from './make-workspace.ts';
import { jsonIn } from './output.ts';
import { instancePids, traceHost } from './trace.ts';
import { trialsIn, WRITES } from './trial-trace.ts';
import type { Workspace } from './workspace.ts';
import { Writer } from './writer.ts';

/** A bad setting of PostgreSQL never leaves it down: refused beforehand where a server can be started with it, else taken back. */

const ENVIRONMENT = 'e2e-postgres-back';
const SECRETS = makeSecrets('postgres-back');
const CONF = '/etc/postgresql/*/main/conf.d/90-mooring.conf';

/** What listens on that port, in Perl. */
const LISTEN =
  'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1); bind(S, sockaddr_in(9432, INADDR_ANY)) or die; listen(S, 5); sleep';

let workspace: Workspace;
let password = SECRETS.POSTGRES_PASSWORD as string;
let address: string;
let writer: Writer;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['postgres', 'redis'], secrets: SECRETS });
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  address = await new Application(workspace, ['postgres']).address('postgres');
  await sql(address, password, 'create table written (number int primary key)');
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
    await sql(address, password, `insert into written values (${first + number})`);
    acknowledged.push(first + number);
  });
});
afterEach(() => writer.stop());

/** Everything that was acknowledged is there. */
async function nothingIsLost(): Promise<void> {
  await writer.stop();
  const rows = (await sql(address, password, 'select number from written')) as { number: number }[];
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
const restart = () => workspace.guest('postgres', "systemctl restart 'postgresql@*-main.service'");
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

it('tries it beside the live server: in little memory, nothing is archived, and a trace shows no write outside the trial’s own folders', async () => {
  await workspace.incus('config', 'set', workspace.instance('postgres'), 'limits.memory=300MiB');
  const before = await pid();
  const archive = { archive_mode: 'on', archive_command: 'touch /var/lib/archived', archive_timeout: 1 };
  await set({ shared_buffers: '8GB', ...archive });
  const refused = await workspace.run('postgres', 'plan');
  expect(refused.code, refused.output).toBe(1);
  expect(refused.output).toMatch(/the server would use 8\d{3} MB of shared memory, and the container has 300 MB/);

  await workspace.edit('infra/redis/container.json', (file) => Object.assign(file.settings as object, { parameters: { databases: '32' } }));
  await set({ shared_buffers: '64MB', ...archive });
  const folder = await mkdtemp(join(tmpdir(), 'mooring-trial-'));
  const trace = await traceHost(join(folder, 'trace'), await instancePids(ENVIRONMENT), WRITES);
  const planned = await workspace
    .nx(['run-many', '-t', 'plan', `--configuration=${ENVIRONMENT}`, '--output-style=static'])
    .finally(trace.stop);
  expect(planned.code, planned.output).toBe(0);
  expect(planned.output).toContain('archive_command');
  expect(planned.output).not.toContain('could not be tried');
  const trials = await trialsIn(folder);
  await rm(folder, { recursive: true });

  const programs = trials.map((trial) => trial.programs.map((path) => path.split('/').pop()));
  expect(programs.filter((names) => names.includes('postgres'))).toEqual([expect.arrayContaining(['initdb', 'psql'])]);
  expect(programs.filter((names) => names.includes('redis-server'))).toHaveLength(1);
  expect(programs.flat()).not.toContain('touch');
  for (const { mounts, written } of trials) {
    expect(mounts).toMatchObject({
      '/var/tmp': expect.stringMatching(/^\/var\/tmp\/systemd-private-/),
      '/tmp': expect.stringMatching(/^\/tmp\/systemd-private-/),
      '/dev/shm': 'tmpfs',
    });
    expect(written).toContainEqual(expect.stringMatching(/^\/var\/tmp\/trial\.\w+$/));
    expect(written.filter((path) => !/^\/(var\/tmp|tmp|dev\/shm)\/./.test(path) && path !== '/dev/null')).toEqual([]);
  }
  expect(await pid()).toBe(before);
  await workspace.guest('postgres', '[ ! -e /var/lib/archived ]');
  await workspace.incus('config', 'unset', workspace.instance('postgres'), 'limits.memory');
});

it('takes back what only the real start refuses: it answers again, nothing acknowledged is lost, and with the setting corrected it deploys', async () => {
  await workspace.guest(
    'postgres',
    `unit=/etc/systemd/system/postgresql@.service.d; mkdir -p $unit
printf '%s\\n' '[Service]' 'ExecStartPre=/bin/sh -c "! grep -q max_connections.*90 ${CONF}"' >$unit/90-refuses.conf; systemctl daemon-reload`,
  );
  await writer.start();
  await restart();
  await writer.nextAcknowledged();
  await writer.stop();
  const ofRestart = writer.outage;

  const before = await conf();
  const output = await deployBad({ max_connections: 90 });
  expect(output).toContain('the former configuration runs again: postgres is healthy');
  expect(output).toContain('taking back: update file /etc/postgresql/');
  expect(await conf()).toBe(before);
  // It answers again: the client goes on writing.
  const written = writer.acknowledged.length;
  await expect.poll(() => writer.acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(written);
  await nothingIsLost();
  // Two restarts, of which the first has to be seen to fail.
  expect(writer.outage / ofRestart).toBeLessThan(5);

  await set({ max_connections: 80 });
  await workspace.guest('postgres', 'chmod 644 /etc/postgresql/*/main/pg_hba.conf');
  const corrected = await workspace.configure();
  expect(corrected.code, corrected.output).toBe(0);
  expect(await sql(address, password, 'show max_connections')).toEqual([{ max_connections: '80' }]);
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
  await sql(address, password, 'insert into written values (-1)');
});

it('takes back a limit that lets the application do nothing, and no session of ours feels it', async () => {
  const before = { pid: await pid(), conf: await conf() };
  const output = await deployBad({ max_connections: 80, statement_timeout: '1' });
  expect(output).toMatch(/role veza gets nothing done: statement_timeout is 1 ms|canceling statement due to statement timeout/);
  expect(output).toContain('the former configuration runs again: postgres is healthy');
  expect({ pid: await pid(), conf: await conf() }).toEqual(before);
  await nothingIsLost();
});

/** SQL as `postgres`, by hand. */
const byHand = (...statements: string[]) =>
  workspace.guest('postgres', `cd /; su postgres -c 'psql -q -v ON_ERROR_STOP=1' <<'.'\n${statements.map((sql) => `${sql};\n`).join('')}.`);

type Row = { project: string; health: string; healthReasons: string[] };
async function health(): Promise<Row | undefined> {
  const { code, output } = await workspace.run('postgres', 'status', '--json', '--fail-on=degraded');
  const row = jsonIn<{ containers: Row[] }>(output).containers[0];
  expect(code, output).toBe(row?.health === 'healthy' ? 0 : 1);
  return row;
}

it.each([
  {
    what: 'too few connections',
    breaks: async () => {
      await workspace.guest('postgres', `sed -i '$a max_connections = 4' ${CONF}`);
      await restart();
    },
    reason: /remaining connection slots are reserved/,
    repairs: 'restart unit postgresql@',
  },
  {
    what: 'an expired role',
    breaks: () => byHand("alter role veza valid until '2020-01-01'"),
    reason: /role veza has expired \(VALID UNTIL 2020-01-01 00:00:00\+00\)/,
    repairs: 'update role veza',
  },
  {
    what: 'a full connection limit',
    breaks: () => byHand('alter role veza connection limit 0', 'alter database veza connection limit 0'),
    reason: /too many connections for (role|database) "veza"/,
    repairs: 'update role veza',
  },
])('a deploy that repairs what is unhealthy goes through: $what', async ({ breaks, reason, repairs }) => {
  await set({ max_connections: 80 });
  await breaks();
  expect(await health()).toMatchObject({ health: 'unhealthy', healthReasons: [expect.stringMatching(reason)] });
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  expect(output).toContain(repairs);
  expect(output).not.toContain('taking back');
  expect(await health()).toMatchObject({ health: 'healthy' });
});

it('says what somebody has to see to', async () => {
  await set({ max_connections: 80 });
  await byHand('\\c veza', 'revoke create on schema public from pg_database_owner');
  expect(await health()).toMatchObject({ health: 'degraded', healthReasons: ['role veza may make no table in schema public'] });
  await byHand('\\c veza', 'grant create on schema public to pg_database_owner');
});

it('no setting of the server, of its superuser or of his database changes our sessions, and the log has no password', async () => {
  await byHand(
    'alter role veza connection limit 5',
    "alter database postgres set search_path = 'evil', pg_catalog",
    "alter database postgres set session_preload_libraries = 'nowhere'",
    "alter role postgres set role = 'veza'",
    'alter role postgres set default_transaction_read_only = on',
    'alter role postgres set statement_timeout = 1',
  );
  const log = '/var/log/postgresql/postgresql-*-main.log';
  await workspace.guest('postgres', `truncate -s 0 ${log}`);
  await set({
    max_connections: 80,
    ...{ log_statement: 'all', log_min_duration_statement: 0, debug_print_parse: 'on', client_min_messages: 'debug5' },
    ...{ DateStyle: 'German', client_encoding: 'LATIN1', standard_conforming_strings: 'off', bytea_output: 'escape' },
    ...{ default_transaction_isolation: 'serializable', lock_timeout: 1, idle_session_timeout: '60s', temp_file_limit: 0 },
  });
  password = makeSecrets('postgres-again').POSTGRES_PASSWORD as string;
  await workspace.secrets({ ...SECRETS, POSTGRES_PASSWORD: password });
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  expect(output).toContain('update role veza');
  // Nor does what the operator's own shell says to PostgreSQL's clients.
  const env = { PGOPTIONS: '-c statement_timeout=1', PGSSLMODE: 'require' };
  const args = ['run-many', '-t', 'configure', `--configuration=${ENVIRONMENT}`, '--output-style=static'];
  expect((await workspace.nx(args, { env })).output).toContain('0 changes');
  await sql(address, password, 'select number from written limit 1');

  const logged = await workspace.guest('postgres', `cat ${log}`);
  expect(logged).toContain('statement: select number from written');
  expect(logged).not.toContain('SCRAM-SHA-256$');
  expect(logged).not.toContain(password);
  expect(logged).not.toMatch(/alter role/i);
});
