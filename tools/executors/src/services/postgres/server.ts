import { z } from 'zod';
import type { Command, CommandResult } from '../../engine/command.ts';
import { CommandError, commandFailed, lastLines, MooringError, UnhealthyError } from '../../engine/errors.ts';
import { joinSecret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { desiredParameters } from './conf.ts';
import { HEALTH_INSIDE_SQL, SERVER_HEALTH_SQL } from './health-sql.ts';
import { connectAs, literal, NOT_CONNECTED, NOT_RUNNING, psql } from './psql.ts';
import type { PostgresSettings } from './settings.ts';

/**
 * Everything that is asked of the server, as one psql: it starts once (7 ms) and opens two sessions. The first, as `postgres`,
 * answers one line for stage `config` and one for `objects`; the second, as the application over TCP, one for health.
 * Each of the three takes its own line, and the command is the same for all, so that a batch runs it once.
 */
export function askServer(desired: Desired<PostgresSettings>): Command {
  const { settings } = desired;
  const application = {
    host: '127.0.0.1',
    port: String(settings.port),
    dbname: settings.database,
    user: settings.role,
    password: settings.password,
    // The loopback needs no TLS, and trying it would look for a client certificate in root's home.
    sslmode: 'disable',
    connect_timeout: '5',
    client_encoding: 'UTF8',
  };
  return psql(
    'read',
    joinSecret([
      configSql(Object.keys(desiredParameters(desired))),
      objectsSql(settings),
      SERVER_HEALTH_SQL,
      connectAs(application),
      HEALTH_INSIDE_SQL,
    ]),
    15_000,
  );
}

const LINES = ['config', 'objects', 'health'] as const;

/** One line of the answer, strictly parsed. @throws CommandError when the server did not get that far */
export function answerLine<T>(result: CommandResult, line: (typeof LINES)[number], schema: z.ZodType<T>): T {
  const text = result.stdout.split('\n')[LINES.indexOf(line)];
  // Never the standard output into an error: it has the role's verifier.
  if (!text) {
    const failed = { ...result, stdout: '' };
    if (line !== 'health') throw commandFailed(failed, 'the server could not be asked');
    const why = reason(result.stderr);
    const error = commandFailed(failed, `no SELECT as the application's role: ${why.words}`);
    throw isClosed(why) ? new UnhealthyError(error.message, error.detail) : error;
  }
  const parsed = schema.safeParse(jsonOrNothing(text));
  if (!parsed.success) throw new MooringError(`the server's answer about ${line} is not known: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** A server that gave no answer, and its own words. */
export type NoServer =
  | { readonly state: 'down'; readonly said: string }
  | { readonly state: 'starting'; readonly said: string }
  | { readonly state: 'full'; readonly said: string }
  | { readonly state: 'refused'; readonly said: string };

/**
 * Whether the second session found somebody on the port of the settings. Only a refused connection says no: a server under load may
 * be slow to answer, and a restart would be no help.
 */
export function listens({ stderr }: CommandResult): boolean {
  return !/^\\connect: .*Connection refused/m.test(stderr);
}

/** Why the server gave no first line; nothing when it did. */
export function noServer(result: CommandResult): NoServer | undefined {
  if (result.stdout !== '') return undefined;
  const said = lastLines(result.stderr, 3);
  if (result.code === NOT_RUNNING || /failed: (Connection refused|No such file or directory)/.test(said)) return { state: 'down', said };
  if (result.code !== NOT_CONNECTED) throw commandFailed(result, 'the server could not be asked');
  if (/the database system is (starting up|in recovery|not yet accepting|shutting down)/i.test(said)) return { state: 'starting', said };
  if (/sorry, too many clients|remaining connection slots/.test(said)) return { state: 'full', said };
  if (/pg_hba\.conf|authentication failed/.test(said)) return { state: 'refused', said };
  throw new CommandError('the server does not let postgres in over its socket', { stderr: said });
}

const liveParameter = z.strictObject({
  value: z.string(),
  unit: z.string().nullable(),
  type: z.string(),
  restart: z.boolean(),
  pending: z.boolean(),
});

const place = z.strictObject({ name: z.string(), value: z.string(), file: z.string(), line: z.int() });

export const configAnswer = z.strictObject({
  /** By lower-case name: the desired ones that the server knows, and those that our file sets now. */
  parameters: z.record(z.string(), liveParameter),
  /** Our parameters, those that are not in our file yet too, that another file sets again after ours. */
  overridden: z.array(place),
  /** Lines of our file that the server does not take. */
  errors: z.array(z.string()),
  hbaErrors: z.array(z.string()),
  /** Whether postgresql.conf includes our file, if it is there. */
  included: z.boolean(),
  /** A file was written after the server last read it. */
  stale: z.boolean(),
  /** Of template1, and so of the cluster. */
  encoding: z.string(),
});

function configSql(names: readonly string[]): string {
  const wanted = `ARRAY[${names.map(literal).join(', ')}]`;
  return `WITH our AS (SELECT regexp_replace(current_setting('config_file'), '[^/]*$', 'conf.d/90-mooring.conf') AS file, ${wanted} AS names),
entry AS (SELECT lower(f.name) AS name, f.setting, f.sourcefile, f.sourceline, f.seqno, f.error FROM pg_file_settings f),
last AS (SELECT DISTINCT ON (name) name, setting, sourcefile, sourceline, seqno FROM entry WHERE name IS NOT NULL ORDER BY name, seqno DESC)
SELECT json_build_object(
  'parameters', (SELECT coalesce(json_object_agg(lower(name), json_build_object('value', setting, 'unit', unit, 'type', vartype,
      'restart', context = 'postmaster', 'pending', pending_restart)), '{}') FROM pg_settings WHERE lower(name) = ANY (our.names) OR sourcefile = our.file),
  'overridden', (SELECT coalesce(json_agg(json_build_object('name', name, 'value', setting, 'file', sourcefile, 'line', sourceline) ORDER BY name), '[]')
      FROM last WHERE name = ANY (our.names) AND sourcefile <> our.file
      AND (seqno > (SELECT max(seqno) FROM entry WHERE sourcefile = our.file) OR sourcefile LIKE '%/postgresql.auto.conf')),
  'errors', (SELECT coalesce(json_agg('line ' || sourceline || ': ' || error ORDER BY seqno), '[]') FROM entry WHERE sourcefile = our.file
      AND error IS NOT NULL AND NOT EXISTS (SELECT FROM pg_settings s WHERE lower(s.name) = entry.name AND s.context = 'postmaster')),
  'hbaErrors', (SELECT coalesce(json_agg('line ' || line_number || ': ' || error ORDER BY line_number), '[]') FROM pg_hba_file_rules WHERE error IS NOT NULL),
  'included', pg_stat_file(our.file, true) IS NULL OR EXISTS (SELECT FROM pg_file_settings WHERE sourcefile = our.file),
  'stale', greatest((pg_stat_file(our.file, true)).modification, (pg_stat_file(current_setting('hba_file'))).modification) > pg_conf_load_time(),
  'encoding', (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1')) FROM our;
`;
}

/**
 * Whether the server has read its files since a time, which stands in the place of `%s`: nothing when it has, else `unread` and what is wrong
 * in them. What is wrong in the two files of ours is told in any case: it then goes on with what it had.
 */
export const UNREAD_SQL = `WITH wrong AS (SELECT s.sourcefile AS file, s.sourceline AS line, s.error FROM pg_file_settings s
    WHERE error IS NOT NULL AND NOT EXISTS (SELECT FROM pg_settings WHERE lower(name) = lower(s.name) AND context = 'postmaster')
  UNION ALL SELECT current_setting('hba_file'), line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL),
told AS (SELECT string_agg(file || ', line ' || line || ': ' || error, E'\\n') AS everything,
  string_agg(file || ', line ' || line || ': ' || error, E'\\n') FILTER (WHERE file = current_setting('hba_file') OR file LIKE '%%/conf.d/90-mooring.conf') AS ours FROM wrong)
SELECT CASE WHEN ours IS NOT NULL THEN ours WHEN pg_conf_load_time() < to_timestamp(%s) THEN concat('unread', E'\\n' || told.everything) ELSE '' END FROM told;
`;

export const objectsAnswer = z.strictObject({
  role: z
    .strictObject({
      verifier: z.string().nullable(),
      /** VALID UNTIL as it is, in PostgreSQL's words; nothing when it was never set. */
      validUntil: z.string().nullable(),
      expired: z.boolean(),
      attributes: z.strictObject({
        login: z.boolean(),
        superuser: z.boolean(),
        createdb: z.boolean(),
        createrole: z.boolean(),
        replication: z.boolean(),
        bypassrls: z.boolean(),
        expires: z.boolean(),
        limited: z.boolean(),
      }),
      /** How many sessions the role may have; -1 is no limit. */
      connectionLimit: z.int(),
    })
    .nullable(),
  database: z
    .strictObject({
      owner: z.string(),
      encoding: z.string(),
      /** The limit of its sessions: -1 is none, -2 a database that was not dropped to the end. */
      connectionLimit: z.int(),
      /** How many things in it are its owner's, and how many the role's of the settings. */
      ownerHas: z.int(),
      roleHas: z.int(),
    })
    .nullable(),
  /** The other databases that belong to no superuser: those of applications. */
  others: z.array(z.strictObject({ name: z.string(), owner: z.string() })),
  /** 122 random bits of the server's, base64. */
  salt: z.base64(),
});

/** Since when the application's role has expired, as the first session knows; nothing when it has not, or did not say. */
export function expiredAt(result: CommandResult): string | undefined {
  const parsed = objectsAnswer.safeParse(jsonOrNothing(result.stdout.split('\n')[LINES.indexOf('objects')] ?? ''));
  const role = parsed.data?.role;
  return role?.expired ? (role.validUntil ?? undefined) : undefined;
}

/** In pg_shdepend, which knows the owners in all databases of the cluster. */
const OWNS = "s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'";

function objectsSql({ role, database }: PostgresSettings): string {
  return `SELECT json_build_object(
  'role', (SELECT json_build_object('verifier', rolpassword, 'validUntil', rolvaliduntil::text, 'expired', coalesce(rolvaliduntil < now(), false), 'attributes', json_build_object('login', rolcanlogin, 'superuser', rolsuper, 'createdb', rolcreatedb,
      'createrole', rolcreaterole, 'replication', rolreplication, 'bypassrls', rolbypassrls, 'expires', coalesce(rolvaliduntil < 'infinity', false), 'limited', rolconnlimit >= 0), 'connectionLimit', rolconnlimit)
      FROM pg_authid WHERE rolname = ${literal(role)}),
  'database', (SELECT json_build_object('owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding), 'connectionLimit', datconnlimit,
      'ownerHas', (SELECT count(*) FROM pg_shdepend s WHERE s.dbid = d.oid AND ${OWNS} AND s.refobjid = d.datdba),
      'roleHas', (SELECT count(*) FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid WHERE s.dbid = d.oid AND ${OWNS} AND r.rolname = ${literal(role)}))
      FROM pg_database d WHERE datname = ${literal(database)}),
  'others', (SELECT coalesce(json_agg(json_build_object('name', datname, 'owner', rolname) ORDER BY datname), '[]') FROM pg_database
      JOIN pg_roles r ON r.oid = datdba WHERE NOT datistemplate AND NOT rolsuper AND datname <> ${literal(database)}),
  'salt', encode(uuid_send(gen_random_uuid()), 'base64'));
`;
}

/** What a server says to a session that it ends, or to a statement that it does not do: its severity and its words. */
type Refusal = { readonly severity: string; readonly words: string };

/** It does not end there: what the server was not given yet, such as a new password, or a server that comes up or goes down. */
const FOR_NOW =
  /authentication failed|^(role|database) ".*" does not exist|pg_hba\.conf|the database system is|terminating connection (due to administrator command|because of crash)/;

/** Of statements: what no session can do anything about. The others are for whoever wrote the statement. */
const NO_WORK = /^canceling statement|^out of (shared )?memory|No space left on device|^could not (open|read|write|extend|access) /;

/**
 * Whether the server refuses the application its work for a reason of its own: no connection is left, the role or the database is closed, a library
 * of each session is not there, a limit ends what it does.
 */
export function isClosed({ severity, words }: Refusal): boolean {
  return severity === 'FATAL' ? !FOR_NOW.test(words) : severity === 'ERROR' && NO_WORK.test(words);
}

/** psql's last words without its own name and the connection's. */
function reason(stderr: string): Refusal {
  const lines = stderr.split('\n');
  const [, severity, words] = lines.map((text) => /\b(FATAL|ERROR): +(.*)/.exec(text)).find((found) => found !== null) ?? [];
  if (severity !== undefined && words !== undefined) return { severity, words };
  return { severity: '', words: lines.find((text) => /error|failed|running/.test(text)) ?? 'no answer' };
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
