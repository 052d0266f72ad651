import type { Duplex } from 'node:stream';
import { MooringError, UnhealthyError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Connect, Desired, Health } from '../../engine/service.ts';
import { HEALTH_BEGIN_SQL, HEALTH_OUTSIDE_SQL, type HealthAnswer, healthAnswer } from './health-sql.ts';
import { judge } from './judge.ts';
import { answerLine, askServer, expiredAt, isClosed } from './server.ts';
import type { PostgresSettings } from './settings.ts';

/** A busy host is slow to answer, and that is no failure. */
const TIMEOUT_MS = 30_000;

/** A SELECT as the application's role, over TCP inside the container, which tells whether it may write. */
export function inside(desired: Desired<PostgresSettings>): Fact<Health> {
  return {
    name: 'SELECT as the role',
    command: askServer(desired),
    parse(result) {
      const { role } = desired.settings;
      const since = expiredAt(result);
      // The server says only that the password is wrong.
      if (since !== undefined) throw new UnhealthyError(`role ${role} has expired (VALID UNTIL ${since})`);
      return judge(answerLine(result, 'health', healthAnswer), role);
    },
  };
}

/** The same from the host, over the container's address. */
export async function outside({ settings }: Desired<PostgresSettings>, connect: Connect): Promise<Health> {
  const { default: pg } = await import('pg');
  const socket = connected(await connect(settings.port));
  const client = new pg.Client({
    stream: () => socket as never,
    user: settings.role,
    database: settings.database,
    password: settings.password.reveal(),
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    // Each would come from a variable of the operator's shell (PGSSLMODE, PGOPTIONS) if it were left out; so would options that are an empty text.
    ssl: false,
    options: ' ',
  });
  let answer: HealthAnswer;
  // An error after the answer (the far end closing first) is no error of the probe.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(HEALTH_BEGIN_SQL);
    const { rows } = await client.query(HEALTH_OUTSIDE_SQL);
    answer = healthAnswer.parse(rows[0]?.answer);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `no SELECT as ${settings.role} from outside: ${why}`;
    const severity = error instanceof pg.DatabaseError ? (error.severity ?? '') : '';
    throw isClosed({ severity, words: why }) ? new UnhealthyError(message) : new MooringError(message);
  } finally {
    socket.destroy();
  }
  return judge(answer, settings.role);
}

/** A stream that is connected already, as node-postgres takes it: it calls `connect` and waits for the event. */
function connected(stream: Duplex): Duplex {
  return Object.assign(stream, {
    setNoDelay: () => stream,
    setKeepAlive: () => stream,
    ref: () => stream,
    unref: () => stream,
    connect: () => {
      process.nextTick(() => stream.emit('connect'));
      return stream;
    },
  });
}
