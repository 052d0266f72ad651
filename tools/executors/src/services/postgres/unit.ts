import type { Change } from '../../engine/change.ts';
import { type Command, script, write, writeFile } from '../../engine/command.ts';
import { bringUp } from '../systemd.ts';
import type { ClusterFiles } from './files.ts';
import { AS_POSTGRES } from './psql.ts';
import type { NoServer } from './server.ts';
import type { PostgresSettings } from './settings.ts';

/** Recovery after a crash replays the WAL since the last checkpoint: minutes, on a busy database. */
const START_SECONDS = 600;

const unitOf = (major: number) => `postgresql@${major}-main`;

/** The cluster set to come up with the container. */
export function startWithContainer({ major, start, enabled }: ClusterFiles): Change {
  const path = `/etc/postgresql/${major}/main/start.conf`;
  return {
    resource: `unit ${unitOf(major)}`,
    action: 'update',
    before: { 'start.conf': start, 'postgresql.service': enabled ? 'enabled' : 'not enabled' },
    after: { 'start.conf': 'auto', 'postgresql.service': 'enabled' },
    impact: 'none',
    because: 'the server would not come back with the container',
    commands: [
      ...(start === 'auto'
        ? []
        : [writeFile({ path, content: 'auto\n', mode: '0644', owner: 'postgres:postgres' }), write(['systemctl', 'daemon-reload'])]),
      ...(enabled ? [] : [write(['systemctl', 'enable', '-q', 'postgresql.service'])]),
    ],
  };
}

/** The server brought up, or waited for. */
export function start({ major }: ClusterFiles, settings: PostgresSettings, server: NoServer): Change {
  return {
    resource: `unit ${unitOf(major)}`,
    action: 'update',
    before: server.state,
    after: 'up',
    impact: 'restart',
    because: server.state === 'down' ? 'the server is not running' : 'the server is not ready yet',
    commands: [comeUp('start', major, settings)],
  };
}

/** @param because why nothing less will do */
export function restart({ major }: ClusterFiles, settings: PostgresSettings, because: string): Change {
  return {
    resource: `unit ${unitOf(major)}`,
    action: 'restart',
    impact: 'restart',
    because,
    commands: [comeUp('restart', major, settings)],
  };
}

/** The files read again; sessions go on. */
export function reload({ major }: ClusterFiles, because: string): Change {
  return {
    resource: `unit ${unitOf(major)}`,
    action: 'update',
    impact: 'reload',
    because,
    commands: [write(['systemctl', 'reload', unitOf(major)])],
  };
}

/**
 * Up, and then on its port too: a server that finds one of its addresses taken only writes that to its log. What failed is told by the
 * server's own last complaints; systemd's journal ends with what pg_ctl and systemd make of them.
 */
function comeUp(verb: 'start' | 'restart', major: number, { port, role, database }: PostgresSettings): Command {
  const isReady = `/usr/lib/postgresql/${major}/bin/pg_isready`;
  // Both times as a user that the server knows: for another each question is a line in its log.
  const overSocket = [isReady, '-q', '-h', '/var/run/postgresql', '-p', String(port), '-U', 'postgres', '-d', 'postgres'];
  const { argv } = bringUp(verb, unitOf(major), ['setpriv', ...AS_POSTGRES, ...overSocket], START_SECONDS);
  return script(
    'write',
    `isready=$1 port=$2 role=$3 database=$4 log=$5; shift 5
why() { tail -n 40 "$log" | grep -E 'FATAL|PANIC|ERROR|HINT|could not' | tail -n 5 >&2; exit 1; }
"$@" || why
"$isready" -q -t 10 -h 127.0.0.1 -p "$port" -U "$role" -d "$database" || { echo "it runs, but not on port $port" >&2; why; }`,
    [isReady, String(port), role, database, `/var/log/postgresql/postgresql-${major}-main.log`, ...argv],
  );
}
