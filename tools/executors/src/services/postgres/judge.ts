import { MooringError, UnhealthyError } from '../../engine/errors.ts';
import type { Health } from '../../engine/service.ts';
import type { HealthAnswer } from './health-sql.ts';

/** At this age of the oldest transaction number the server takes no more writes (varsup.c, SetTransactionIdLimit: 3 million before 2^31 - 1). */
const STOP_AGE = 2 ** 31 - 1 - 3_000_000;

/** At this one vacuum leaves all else undone to get ahead of it (vacuum_failsafe_age). */
const WARN_AGE = 1_600_000_000;

/** A commit that waits for a disk, or a client on another machine, is not done sooner. In milliseconds. */
const LEAST_LIMIT = 10;

/** Percent of a disk, and of the connections, from which somebody has to see to it. */
const DISK_PERCENT = 85;
const CONNECTIONS_PERCENT = 90;

/** What the answers come to: the application can read and write, or not, and what has to be seen to. Pure. @throws UnhealthyError when it cannot */
export function judge(answer: HealthAnswer, role: string): Health {
  const broken = whyBroken(answer, role);
  if (broken !== undefined) throw new UnhealthyError(broken);
  const degraded = reasons(answer);
  return {
    version: answer.version.split(' ')[0] ?? answer.version,
    detail: `SELECT as ${role}`,
    ...(degraded.length === 0 ? {} : { degraded }),
  };
}

function whyBroken(answer: HealthAnswer, role: string): string | undefined {
  const { readOnly, waitsFor, server, senders, segment, schema } = answer;
  if (answer.role !== role) return `the session is one of role ${answer.role}, not ${role}`;
  if (answer.recovery) return 'the server is in recovery, and takes no writes';
  if (readOnly !== null) return `role ${role} cannot write: default_transaction_read_only is on (set by: ${readOnly})`;
  const [limit, ms] = Object.entries(answer.limits).find(([, value]) => value > 0 && value < LEAST_LIMIT) ?? [];
  if (limit !== undefined) return `role ${role} gets nothing done: ${limit} is ${ms} ms`;
  if (!answer.write) return `role ${role} cannot write: it may make no table${inSchema(schema)}, and there is none that it may write`;
  if (answer.age >= STOP_AGE)
    return `the server takes no more writes: its transaction numbers have run out (the oldest is ${answer.age} old)`;
  const full = disksOf(answer).find(({ free }, i) => free < (i === 0 ? segment : PAGE));
  if (full !== undefined) return `the disk of ${full.of} is full: ${full.free} bytes are free`;
  if (waitsFor === null) return undefined;
  const wanted = standbysIn(waitsFor);
  const connected = server?.standbys ?? senders;
  // From outside it is not known which of those that are connected count.
  if (server === null ? connected > 0 : connected >= wanted) return undefined;
  return `every COMMIT waits: synchronous_standby_names (${waitsFor}) wants ${wanted} standby servers, and ${connected} are connected`;
}

function reasons(answer: HealthAnswer): string[] {
  const { server, connections, age, archiver, slots, damaged, collation } = answer;
  return [
    ...disksOf(answer)
      .filter(({ percent }) => percent >= DISK_PERCENT)
      .map(({ of, percent }) => `the disk of ${of} is ${Math.floor(percent)} % full`)
      .slice(0, 1),
    server !== null &&
      server.clients * 100 > connections * CONNECTIONS_PERCENT &&
      `${server.clients} of ${connections} connections are in use`,
    !answer.create && `role ${answer.role} may make no table${inSchema(answer.schema)}`,
    age >= WARN_AGE && `the oldest transaction number is ${age} old, and at ${STOP_AGE} writes stop: VACUUM (FREEZE) in every database`,
    archiver !== null && `WAL is not archived: ${archiver.wal ?? 'a file'} failed at ${archiver.at} (${archiver.failures} failures so far)`,
    ...slots.map(({ name, status, bytes }) =>
      status === 'lost' || bytes === null
        ? `replication slot ${name} has lost WAL that it needs`
        : `replication slot ${name} holds ${Math.floor(bytes / 2 ** 20)} MB of WAL`,
    ),
    damaged > 0 && `${damaged} pages with a wrong checksum were read (pg_stat_database.checksum_failures)`,
    // Refreshing the version without rebuilding the indexes would hide that they may be wrong.
    collation !== null &&
      `collation version ${collation.recorded} is now ${collation.actual}: REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION`,
  ].filter((reason) => reason !== false);
}

function inSchema(schema: string | null): string {
  return schema === null ? ' (no schema of its search_path is there)' : ` in schema ${schema}`;
}

/** How many standby servers a COMMIT waits for: `FIRST 2 (a, b)`, `ANY 2 (…)`, `2 (…)`, or a plain list, which is one. */
function standbysIn(names: string): number {
  return Number(/^(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(/i.exec(names)?.[1] ?? 1);
}

/** Of a table: what a table that grows needs at least. WAL grows by a segment. */
const PAGE = 8192;

/** The file systems, that of the WAL first, as df(1) reckons: what root alone could use is neither used nor free. */
function disksOf({ server }: HealthAnswer): { of: string; free: number; percent: number }[] {
  const lines = server === null ? [] : server.disks.split('\n').filter(Boolean);
  return lines.flatMap((line, i) => {
    const numbers = /^(\d+) (\d+) (\d+) (\d+)$/.exec(line)?.slice(1).map(Number);
    if (numbers === undefined) throw new MooringError(`unexpected line of stat: ${line}`);
    const [size = 0, blocks = 0, unused = 0, free = 0] = numbers;
    // A file system that does not know its size says 0 (statfs(2)).
    if (blocks === 0) return [];
    const used = blocks - unused;
    const of = ['the WAL', 'the data directory'][i] ?? 'a tablespace';
    return { of, free: free * size, percent: used + free === 0 ? 0 : (used * 100) / (used + free) };
  });
}
