import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type Workspace } from './workspace.ts';

/** What each service's files and rows look like, without asking our own tool. */
const PROBES: Readonly<Record<string, string>> = {
  postgres: `sha256sum /etc/postgresql/*/main/postgresql.conf /etc/postgresql/*/main/pg_hba.conf /etc/postgresql/*/main/conf.d/*
runuser -u postgres -- psql -X -At -c 'select rolname, rolpassword, rolsuper, rolcanlogin from pg_authid order by 1' -c 'select datname, datdba::regrole, encoding from pg_database order by 1'`,
  redis: 'sha256sum /etc/redis/redis.conf; stat -c %Y /etc/redis/redis.conf',
  rabbitmq: `sha256sum /etc/rabbitmq/*; rabbitmqctl -q list_users; rabbitmqctl -q list_vhosts; rabbitmqctl -q list_permissions -p /veza`,
  // A service of one's own may write anywhere in its configuration.
  './service.ts': 'find /etc -type f -exec sha256sum {} + | sort -k 2',
  minio:
    'sha256sum /etc/default/minio /etc/systemd/system/minio.service; stat -c "%s %Y" /usr/local/bin/minio; find /var/lib/minio -maxdepth 2 -not -path "*/.minio.sys/*" | sort',
};

/**
 * A line for every service unit that runs: its main process and when it started. Not those of systemd, which end by themselves when idle.
 * Its commands stand in assignments: as words of a `for` or an `echo`, one that failed would leave an empty text that looks like an answer.
 */
export const MAIN_PROCESSES = `units=$(systemctl list-units --type=service --state=running --plain --no-legend --no-pager)
while read -r unit _; do
  case $unit in '' | systemd-* | dbus* | user@* | *getty*) continue ;; esac
  shown=$(systemctl show --property=MainPID,ExecMainStartTimestampMonotonic "$unit" | sort | tr '\\n' ' ')
  echo "$unit $shown"
done <<<"$units"`;

/**
 * Everything an observer can see of a deploy without nx-mooring: instances with their UUIDs and snapshots, the main
 * processes with their start times, hashes of configuration files, users and permissions. Two equal answers mean that
 * nothing was done in between.
 */
export async function seenFromOutside(workspace: Workspace, projects: readonly string[]): Promise<Record<string, unknown>> {
  const listing = await run('incus', ['query', `/1.0/instances?recursion=2&project=${workspace.environment}`]);
  const instances = (
    JSON.parse(listing) as { name: string; status: string; config: Record<string, string>; snapshots: { name: string }[] | null }[]
  ).map(({ name, status, config, snapshots }) => ({
    name,
    status,
    config,
    snapshots: (snapshots ?? []).map((snapshot) => snapshot.name),
  }));
  const guests = await Promise.all(
    projects.map(
      async (project) =>
        [
          project,
          {
            processes: await workspace.guest(project, MAIN_PROCESSES),
            state: await workspace.guest(project, await probeOf(workspace, project)),
          },
        ] as const,
    ),
  );
  return { instances, ...Object.fromEntries(guests) };
}

async function probeOf(workspace: Workspace, project: string): Promise<string> {
  const { service } = JSON.parse(await readFile(join(workspace.root, 'infra', project, 'container.json'), 'utf8')) as { service: string };
  const probe = PROBES[service];
  if (probe === undefined) throw new Error(`how ${service} looks from outside is not known: add it to PROBES`);
  return probe;
}
