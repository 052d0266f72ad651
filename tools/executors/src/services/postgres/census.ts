import { z } from 'zod';
import { commandFailed, MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Census, CensusEntry } from '../../engine/service.ts';
import { psqlInEach } from './psql.ts';

/** Tables are read, smallest first, until this many bytes of a database; what is beyond is estimated and not read. */
const READ_BYTES = 20 * 2 ** 30;

const TIMEOUT_MS = 30 * 60_000;

/**
 * A row for each table. Sequential scans only: an index may answer `count(*)` without touching the table, and a scan of every page is
 * what finds the damaged one (with data checksums any, without them one whose header makes no sense). The system's own tables and
 * the parts of large values (TOAST) are read likewise.
 */
const SQL = `SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; SET default_transaction_read_only = on;
SELECT json_build_object('database', current_database(), 'checksums', current_setting('data_checksums') = 'on');
WITH tables AS (SELECT c.oid, n.nspname, c.relname, c.reltuples, pg_table_size(c.oid) AS bytes, t.relname AS toast,
  sum(pg_table_size(c.oid)) OVER (ORDER BY pg_table_size(c.oid), c.oid) AS upto
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relispopulated AND n.nspname <> 'pg_toast')
SELECT format('SELECT json_build_object(''schema'', %L, ''table'', %L, ''bytes'', %s, ''exact'', %L::boolean, ''count'', %s, ''parts'', %s)', nspname, relname, bytes,
  upto <= ${READ_BYTES}, CASE WHEN upto <= ${READ_BYTES} THEN format('(SELECT count(*) FROM ONLY %I.%I)', nspname, relname) ELSE greatest(reltuples, 0)::bigint::text END,
  CASE WHEN upto <= ${READ_BYTES} AND toast IS NOT NULL THEN format('(SELECT count(*) FROM pg_toast.%I)', toast) ELSE '0' END)
FROM tables ORDER BY nspname, relname
\\gexec
`;

const databaseLine = z.strictObject({ database: z.string(), checksums: z.boolean() });
const tableLine = z.strictObject({
  schema: z.string(),
  table: z.string(),
  bytes: z.int().min(0),
  exact: z.boolean(),
  count: z.int().min(0),
  parts: z.int().min(0),
});

const OF_THE_SYSTEM = ['pg_catalog', 'information_schema'];

/** Rows of every table of every database, each read whole as long as they are not too many bytes; as `postgres`, over the socket. */
export function census(): Fact<Census> {
  return {
    name: 'rows of all tables',
    command: psqlInEach('read', SQL, TIMEOUT_MS),
    parse(result) {
      if (result.code !== 0) throw commandFailed({ ...result, stdout: '' }, 'not all tables could be read');
      const entries: CensusEntry[] = [];
      let database: z.infer<typeof databaseLine> | undefined;
      for (const line of result.stdout.split('\n').slice(0, -1)) {
        const begun = databaseLine.safeParse(jsonOf(line));
        if (begun.success) {
          database = begun.data;
          continue;
        }
        const parsed = tableLine.safeParse(jsonOf(line));
        if (!parsed.success || database === undefined)
          throw new MooringError(`a line about the tables is not known: ${line.slice(0, 200)}`);
        const { schema, table, bytes, exact, count } = parsed.data;
        if (OF_THE_SYSTEM.includes(schema)) continue;
        const name = `${database.database}.${schema}.${table}`;
        entries.push({ kind: 'table', name, count, of: 'rows', bytes, ...(exact ? {} : { estimated: true as const }) });
      }
      if (database === undefined) throw new MooringError('the server reported no database');
      return { entries, proves: proof(entries, database.checksums) };
    },
  };
}

function proof(entries: readonly CensusEntry[], checksums: boolean): string {
  const beyond = entries.filter(({ estimated }) => estimated).length;
  const read = beyond === 0 ? 'every table was read' : `all tables but ${beyond} large ones were read`;
  return `${read}, ${checksums ? 'its pages checked by their checksums' : 'without data checksums, so not every damaged page would be seen'}; indexes were not`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
