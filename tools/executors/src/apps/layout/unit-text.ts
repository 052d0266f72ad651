import { HEADER, type ManagedFile } from '../../services/managed-file.ts';
import type { AppSettings, Job } from '../settings.ts';
import { givenVariables, inRelease, unitsOf } from './parts.ts';
import { type AppUnit, CURRENT, environmentPath, searchPath, USER } from './paths.ts';

export const UNIT_FOLDER = '/etc/systemd/system';
export const CRONTAB = '/etc/cron.d/nx-mooring';

/**
 * The hardening is what needs no mount namespace: a guest without nesting has none, and a unit that asks for one does not start there (status
 * 226/NAMESPACE). No MemoryDenyWriteExecute: V8 and libffi make code at run time.
 */
const HARDENING = `UMask=0027
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
KeyringMode=private
RemoveIPC=yes
ProtectHostname=yes
ProtectClock=yes
DevicePolicy=closed
`;

/** A word of ExecStart= (systemd.service(5), "Command lines"): quoted, with neither specifiers nor variables in it. */
function unitWord(word: string): string {
  return `"${word.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

/** By env(1), so that the program is looked up where the release has its own, also when that is not the same file in the next one. */
const command = (argv: readonly string[]) => `/usr/bin/env ${argv.map(unitWord).join(' ')}`;

function common(settings: AppSettings, folder: string): string {
  const place = inRelease(CURRENT, folder);
  const variables = { PATH: searchPath(place), ...givenVariables(settings) };
  return `User=${USER}
Group=${USER}
WorkingDirectory=${place}
EnvironmentFile=${environmentPath(settings.environment)}
${Object.entries(variables)
  .map(([name, value]) => `Environment=${name}=${value}\n`)
  .join('')}`;
}

function serviceText(settings: AppSettings, unit: AppUnit): string {
  const database = settings.postgres !== undefined && settings.postgres.host === undefined ? ' postgresql.service' : '';
  return `${HEADER}[Unit]
Description=${settings.name} ${unit.name.replace('app-', '')} (${settings.environment})
Wants=network-online.target
After=network-online.target${database}
ConditionPathExists=${CURRENT}
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
${common(settings, unit.folder)}Environment=PORT=${unit.port}
ExecStart=${command(unit.start)}
SyslogIdentifier=${unit.name}
Restart=on-failure
RestartSec=2
TimeoutStopSec=30
${HARDENING}
[Install]
WantedBy=multi-user.target
`;
}

function jobText(settings: AppSettings, job: Job): string {
  const folder = unitsOf(settings)[0]?.folder ?? '.';
  return `${HEADER}[Unit]
Description=${settings.name}: ${job.name} (${settings.environment})
ConditionPathExists=${CURRENT}

[Service]
Type=oneshot
${common(settings, folder)}ExecStart=${command(job.command)}
SyslogIdentifier=app-job-${job.name}
TimeoutStartSec=${job.timeoutSeconds}
${HARDENING}`;
}

function timerText(settings: AppSettings, job: Job, schedule: string): string {
  return `${HEADER}[Unit]
Description=${settings.name}: when ${job.name} runs (${settings.environment})

[Timer]
OnCalendar=${schedule}
Persistent=yes
AccuracySec=1s

[Install]
WantedBy=timers.target
`;
}

/** A unit file, and what its unit is: a service that runs for ever, a job, or the timer of one. */
export type UnitFile = ManagedFile & { readonly unit: string; readonly what: 'service' | 'job' | 'timer' };

/** All unit files of the application. */
export function unitFiles(settings: AppSettings): UnitFile[] {
  const file = (unit: string, what: UnitFile['what'], content: string): UnitFile => ({
    ...{ kind: 'file', path: `${UNIT_FOLDER}/${unit}`, content, mode: '0644', owner: 'root:root' },
    ...{ unit, what },
  });
  return [
    ...unitsOf(settings).map((unit) => file(`${unit.name}.service`, 'service', serviceText(settings, unit))),
    ...settings.jobs.flatMap((job) => [
      file(`app-job-${job.name}.service`, 'job', jobText(settings, job)),
      ...(job.schedule === undefined ? [] : [file(`app-job-${job.name}.timer`, 'timer', timerText(settings, job, job.schedule))]),
    ]),
  ];
}

/** The lines of cron for the jobs that want it; cron only starts their units, which have the environment, the user and the hardening. */
export function crontab({ jobs }: AppSettings): ManagedFile | undefined {
  const lines = jobs.flatMap(({ name, cron }) =>
    cron === undefined ? [] : [`${cron} root /usr/bin/systemctl start app-job-${name}.service\n`],
  );
  if (lines.length === 0) return undefined;
  return { kind: 'file', path: CRONTAB, content: `${HEADER}${lines.join('')}`, mode: '0644', owner: 'root:root' };
}
