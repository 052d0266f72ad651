import { z } from 'zod';

/**
 * What only the superuser sees, and the system: kept in psql's variable `server` for the question of the application's session. Of the file systems
 * of its WAL, of the data directory and of each tablespace: size of a block, blocks, free ones, and those that are free for others than root (statvfs).
 */
export const SERVER_HEALTH_SQL = `SELECT current_setting('data_directory') AS data \\gset
\\set disks \`stat -f -c '%S %b %f %a' :'data'/pg_wal :'data' :'data'/pg_tblspc/* 2>/dev/null; true\`
SELECT json_build_object('disks', :'disks', 'clients', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
  'standbys', (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))) AS server \\gset
`;

export const healthAnswer = z.strictObject({
  version: z.string(),
  role: z.string(),
  /** From {@link SERVER_HEALTH_SQL}; nothing from outside. */
  server: z.strictObject({ disks: z.string(), clients: z.int(), standbys: z.int() }).nullable(),
  recovery: z.boolean(),
  /** Where default_transaction_read_only is set, as `pg_settings.source` names it; nothing where transactions may write. */
  readOnly: z.string().nullable(),
  /** Limits on the time of what the role does, in milliseconds; 0 is none. By name, those that this major has. */
  limits: z.record(z.string(), z.int()),
  /** The schema in which the role's tables are made; nothing when no schema of its search_path is there. */
  schema: z.string().nullable(),
  /** Whether the role may make tables in it. */
  create: z.boolean(),
  /** Whether the role may make tables, or there is one that it may write. */
  write: z.boolean(),
  /** Connections that are not reserved. */
  connections: z.int(),
  /** Transactions since the oldest one whose number is still in use, multixacts likewise. */
  age: z.int(),
  /** The last attempt to archive, when it failed. */
  archiver: z.strictObject({ wal: z.string().nullable(), at: z.string(), failures: z.int() }).nullable(),
  /** Replication slots that hold more WAL than checkpoints keep, or have lost what they need. */
  slots: z.array(z.strictObject({ name: z.string(), status: z.string().nullable(), bytes: z.number().nullable() })),
  /** synchronous_standby_names, where the role's COMMIT waits for them. */
  waitsFor: z.string().nullable(),
  /** Standbys that are connected, whatever their kind. */
  senders: z.int(),
  /** Damaged pages that were read. */
  damaged: z.int(),
  /** Bytes of a WAL segment. */
  segment: z.int(),
  /** The operating system's collation version is not the one that the indexes were built with. */
  collation: z.strictObject({ recorded: z.string(), actual: z.string() }).nullable(),
});

export type HealthAnswer = z.infer<typeof healthAnswer>;

/**
 * First in the application's session: that alone tells whether a statement of its role gets through. The long one after it would feel a limit that
 * the application's short ones do not feel; what the limits are is read as what RESET would make of them. Messages are no answer.
 */
export const HEALTH_BEGIN_SQL = 'SET statement_timeout = 0;\nSET idle_session_timeout = 0;\nSET client_min_messages = error;\n';

/**
 * What the application's role sees. Nothing is written for it: a table, temporary or not, would leave rows in the catalogs, and a transaction
 * number would be used up by each question.
 */
const healthSql = (
  server: string,
) => `SELECT json_build_object('version', current_setting('server_version'), 'role', current_user, 'server', ${server},
  'recovery', pg_is_in_recovery(),
  'readOnly', (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only' AND current_setting('transaction_read_only') = 'on'),
  'limits', (SELECT json_object_agg(name, reset_val::int) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')),
  'schema', own.schema, 'create', own.makes, 'write', own.makes OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'INSERT')),
  'connections', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0),
  'age', (SELECT max(greatest(age(datfrozenxid), mxid_age(datminmxid))) FROM pg_database),
  'archiver', (SELECT json_build_object('wal', last_failed_wal, 'at', last_failed_time, 'failures', failed_count) FROM pg_stat_archiver
    WHERE current_setting('archive_mode') <> 'off' AND last_failed_time > coalesce(last_archived_time, '-infinity')),
  'slots', (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'status', wal_status, 'bytes', held) ORDER BY slot_name), '[]')
    FROM (SELECT slot_name, wal_status, CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END AS held
    FROM pg_replication_slots) s WHERE held > pg_size_bytes(current_setting('max_wal_size')) OR wal_status IN ('unreserved', 'lost')),
  'waitsFor', CASE WHEN current_setting('synchronous_commit') NOT IN ('off', 'local') THEN nullif(trim(current_setting('synchronous_standby_names')), '') END,
  'senders', (SELECT count(*) FROM pg_stat_get_wal_senders()),
  'damaged', (SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database),
  'segment', pg_size_bytes(current_setting('wal_segment_size')),
  'collation', (SELECT json_build_object('recorded', datcollversion, 'actual', actual) FROM (SELECT datcollversion, pg_database_collation_actual_version(oid) AS actual
    FROM pg_database WHERE datname = current_database()) d WHERE datcollversion IS DISTINCT FROM actual AND datcollversion IS NOT NULL AND actual IS NOT NULL)) AS answer
FROM (SELECT current_schema() AS schema, coalesce(has_schema_privilege(current_schema(), 'CREATE') AND has_schema_privilege(current_schema(), 'USAGE'), false) AS makes) own;
`;

/** In psql's session of the application, behind {@link SERVER_HEALTH_SQL}. */
export const HEALTH_INSIDE_SQL = HEALTH_BEGIN_SQL + healthSql(":'server'::json");

/** By a client of the application's, after {@link HEALTH_BEGIN_SQL}. */
export const HEALTH_OUTSIDE_SQL = healthSql('NULL::json');
