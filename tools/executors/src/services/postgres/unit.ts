import type { Change } from '../../engine/change.ts';
import { type Command, script, write } from '../../engine/command.ts';
import { shellProgram } from '../../shell/program.ts';
import { differenceOf, planFile } from '../managed-file.ts';
import { DAEMON_RELOAD } from '../managed-unit.ts';
import { bringUp, IN_VAIN } from '../systemd.ts';
import { type ClusterFiles, fileAndFound } from './files.ts';
import { AS_POSTGRES, psql } from './psql.ts';
import { type NoServer, UNREAD_SQL } from './server.ts';
import type { PostgresSettings } from './settings.ts';

/** Recovery after a crash replays the WAL since the last checkpoint: minutes, on a busy database. */
const START_SECONDS = 600;

export const unitOf = (major: number) => `postgresql@${major}-main`;
/** Of all that the server writes into its log. */
const COMPLAINTS = `grep -E 'FATAL|PANIC|ERROR|HINT|could not|in file ".*" line' | grep -vE 'terminating connection|the database system is'`;
const logOf = (major: number) => `/var/log/postgresql/postgresql-${major}-main.log`;

/** Whether the cluster starts with the container, as start.conf says: its first word that is no comment. */
function startMode(start: string | null): string | null {
  const lines = (start ?? '').split('\n').map((line) => line.replace(/#.*/, '').trim());
  return lines.find(Boolean) ?? null;
}

/** The cluster set to come up with the container; nothing where it is. */
export function startWithContainer(files: ClusterFiles): Change[] {
  const { major, start, enabled } = files;
  const mode = startMode(start);
  // Its comments are the package's, and are left as they are.
  const text = mode === 'auto' && start !== null ? start : 'auto\n';
  const [file, found] = fileAndFound('start', files, text);
  const differs = differenceOf(file, found);
  // What starts the clusters is made of start.conf when systemd reads its units.
  const follows = [DAEMON_RELOAD];
  if (differs === undefined && enabled) return [];
  const [change] = planFile(file, found, { follows });
  const resource = `unit ${unitOf(major)}`;
  if (differs === 'access' && enabled && change !== undefined) return [{ ...change, resource }];
  return [
    {
      resource,
      action: 'update',
      before: { 'start.conf': mode, 'postgresql.service': enabled ? 'enabled' : 'not enabled' },
      after: { 'start.conf': 'auto', 'postgresql.service': 'enabled' },
      because: 'the server would not come back with the container',
      impact: 'none',
      commands: [...(change?.commands ?? []), ...(enabled ? [] : [write(['systemctl', 'enable', '-q', 'postgresql.service'])])],
      undo: [...(enabled ? [] : [write(['systemctl', 'disable', '-q', 'postgresql.service'])]), ...(change?.undo ?? [])],
    },
  ];
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
    undo: [],
  };
}

/**
 * @param formerPort where it listens with its former files
 * @param because why nothing less will do
 */
export function restart({ major }: ClusterFiles, settings: PostgresSettings, formerPort: number, because: string): Change {
  return {
    resource: `unit ${unitOf(major)}`,
    action: 'restart',
    impact: 'restart',
    because,
    commands: [comeUp('restart', major, settings)],
    undo: [],
    afterUndo: [comeUp('restart', major, { ...settings, port: formerPort })],
  };
}

/** The files read again; sessions go on. */
export function reload({ major }: ClusterFiles, because: string): Change {
  const read = readAgain(major);
  return { resource: `unit ${unitOf(major)}`, action: 'update', impact: 'reload', because, commands: [read], undo: [], afterUndo: [read] };
}

/** The same for a server that does not let its superuser in, and so cannot be asked whether it has read them. */
export function reloadUnasked({ major }: ClusterFiles, because: string): Change {
  const read = write(['systemctl', 'reload', unitOf(major)]);
  return { resource: `unit ${unitOf(major)}`, action: 'update', impact: 'reload', because, commands: [read], undo: [], afterUndo: [read] };
}

/**
 * A server that does not take what is in a file goes on with what it had, and only its log says so: it is asked. Each time anew, for a session
 * has the time of the last reload from when it began. Of certificates and keys the log alone tells (postmaster.c, process_pm_reload_request); a
 * later start would fail with them.
 */
function readAgain(major: number): Command {
  const { argv } = psql('write', '', 1);
  return script('write', shellProgram(import.meta.url, 'reload.sh'), [unitOf(major), UNREAD_SQL, logOf(major), ...argv], {
    timeoutMs: 60_000,
  });
}

/**
 * Up, and then on its port too: a server that finds one of its addresses taken only writes that to its log. What failed is told by the
 * server's own complaints since then; systemd's journal has what pg_ctl makes of them.
 */
function comeUp(verb: 'start' | 'restart', major: number, { port, role, database }: PostgresSettings): Command {
  const isReady = `/usr/lib/postgresql/${major}/bin/pg_isready`;
  // Both times as a user that the server knows: for another each question is a line in its log.
  const ready = [
    'sh',
    '-euc',
    `isready=$1 port=$2 role=$3 database=$4; shift 4
"$@" "$isready" -q -h /var/run/postgresql -p "$port" -U postgres -d postgres
"$isready" -q -t 10 -h 127.0.0.1 -p "$port" -U "$role" -d "$database" || { echo "not on port $port" >&2; exit ${IN_VAIN}; }`,
    'sh',
    ...[isReady, String(port), role, database, 'setpriv', ...AS_POSTGRES],
  ] as const;
  return bringUp(verb, unitOf(major), ready, START_SECONDS, { path: logOf(major), pick: COMPLAINTS });
}
