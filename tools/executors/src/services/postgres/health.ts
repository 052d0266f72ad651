import type { Duplex } from 'node:stream';
import type { z } from 'zod';
import { MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Connect, Desired, Health } from '../../engine/service.ts';
import { answerLine, askServer, HEALTH_SQL, healthAnswer } from './server.ts';
import type { PostgresSettings } from './settings.ts';

/** A busy host is slow to answer, and that is no failure. */
const TIMEOUT_MS = 30_000;

/** A SELECT as the application's role, over TCP inside the container. */
export function inside(desired: Desired<PostgresSettings>): Fact<Health> {
  return {
    name: 'SELECT as the role',
    command: askServer(desired),
    parse: (result) => healthy(answerLine(result, 'health', healthAnswer), desired.settings),
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
  });
  // An error after the answer (the far end closing first) is no error of the probe.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(HEALTH_SQL);
    return healthy(healthAnswer.parse(rows[0]?.answer), settings);
  } catch (error) {
    throw new MooringError(`no SELECT as ${settings.role} from outside: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    socket.destroy();
  }
}

function healthy(answer: z.infer<typeof healthAnswer>, { role }: PostgresSettings): Health {
  if (answer.role !== role) throw new MooringError(`the session is one of role ${answer.role}, not ${role}`);
  const { collation } = answer;
  const detail =
    collation === null
      ? `SELECT as ${role}`
      : // Only told: refreshing the version without rebuilding the indexes hides that they may be wrong.
        `SELECT as ${role}; collation version ${collation.recorded} is now ${collation.actual}: REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION`;
  return { version: answer.version.split(' ')[0] ?? answer.version, detail };
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
