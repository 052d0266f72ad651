import type { Change } from '../../engine/change.ts';
import { script, write } from '../../engine/command.ts';
import { defineStage } from '../../engine/service.ts';
import { type FoundFiles, type ManagedFile, planFiles } from '../../services/managed-file.ts';
import { managedFiles } from '../../services/managed-look.ts';
import { isNewer } from '../../services/managed-unit.ts';
import { bringUp } from '../../services/systemd.ts';
import type { AppSettings } from '../settings.ts';
import { layoutFiles } from './files.ts';
import { environmentPath, SCRIPT } from './paths.ts';
import { CRONTAB, crontab, UNIT_FOLDER, type UnitFile, unitFiles } from './unit-text.ts';
import { type UnitsFound, unitsFact } from './units-facts.ts';

export type UnitsFacts = { readonly files: FoundFiles; readonly environment: FoundFiles; readonly found: UnitsFound };

/** The application's units, jobs and timers. Services are restarted only if what they run with has changed, and only if a release is live. */
export const units = defineStage<AppSettings, UnitsFacts>({
  name: 'units',
  facts: ({ settings }) => ({
    files: managedFiles(wantedFiles(settings)),
    environment: managedFiles(environmentFile(settings)),
    found: unitsFact(settings),
  }),
  plan({ files, environment, found }, { settings }) {
    const wanted = unitFiles(settings);
    const written = planFiles(wantedFiles(settings), files, { place, takenBack: false });
    const stale = found.ours.filter((path) => !wantedFiles(settings).some((file) => file.path === path));
    const reload = written.some(({ resource }) => resource.includes(UNIT_FOLDER)) || stale.length > 0;
    return [
      ...checkSchedules(settings, written),
      ...written,
      ...stale.map(takeAway),
      ...(reload || Object.values(found.units).some(({ needsReload }) => needsReload) ? [daemonReload(reload)] : []),
      ...wanted.flatMap((file) => enable(file, found)),
      ...restart(settings, files, environment, found),
    ];
  },
});

function wantedFiles(settings: AppSettings): ManagedFile[] {
  const cron = crontab(settings);
  return [...unitFiles(settings), ...(cron === undefined ? [] : [cron])];
}

const environmentFile = (settings: AppSettings) =>
  layoutFiles(settings).filter(({ path }) => path === environmentPath(settings.environment));

const place = (file: ManagedFile) => [
  script('write', 'umask 022; cat >"$1.mooring-new"; mv -f "$1.mooring-new" "$1"', [file.path], { stdin: file.content }),
];

/** Before a timer's file is written: systemd would take a file with a wrong time, and never start the job. */
function checkSchedules({ jobs }: AppSettings, written: readonly Change[]): Change[] {
  return jobs
    .filter(({ name, schedule }) => schedule !== undefined && written.some(({ resource }) => resource.endsWith(`/app-job-${name}.timer`)))
    .map(({ name, schedule = '' }) => ({
      resource: `schedule of ${name}`,
      action: 'update',
      after: schedule,
      impact: 'none',
      because: 'it is checked before it is written',
      commands: [write(['systemd-analyze', 'calendar', schedule])],
    }));
}

function takeAway(path: string): Change {
  const unit = path.slice(UNIT_FOLDER.length + 1);
  return {
    resource: path === CRONTAB ? `file ${path}` : `unit ${unit}`,
    action: 'destroy',
    impact: path.endsWith('.service') ? 'restart' : 'none',
    because: 'the settings have it no more',
    commands: [...(path === CRONTAB ? [] : [write(['systemctl', 'disable', '--now', '-q', unit])]), write(['rm', '-f', path])],
  };
}

function daemonReload(written: boolean): Change {
  return {
    resource: 'systemd',
    action: 'update',
    impact: 'none',
    because: written ? 'it has to read the unit files' : 'it has not read the unit files since they were written',
    commands: [write(['systemctl', 'daemon-reload'])],
  };
}

/** A service comes back with the guest; a timer runs from now on. A job is started by its timer or by cron, and by nothing else. */
function enable({ unit, what }: UnitFile, { units }: UnitsFound): Change[] {
  const now = units[unit];
  if (what === 'job' || (now?.enabled === 'enabled' && (what === 'service' || now.active === 'active'))) return [];
  return [
    {
      resource: `unit ${unit}`,
      action: 'update',
      before: now?.enabled || 'not there',
      after: 'enabled',
      impact: 'none',
      because: what === 'timer' ? 'its job would not run' : 'it would not come back with the guest',
      commands: [write(['systemctl', 'enable', '-q', ...(what === 'timer' ? ['--now'] : []), unit])],
    },
  ];
}

function restart(settings: AppSettings, files: FoundFiles, environment: FoundFiles, found: UnitsFound): Change[] {
  if (!found.live) return [];
  const services = unitFiles(settings).filter(({ what }) => what === 'service');
  const reasons = services.flatMap(({ unit, path }): { unit: string; why: string }[] => {
    const now = found.units[unit];
    const unitFile = files[path];
    if (now?.active !== 'active') return [{ unit, why: 'does not run' }];
    if (unitFile?.kind !== 'file' || !unitFile.same) return [{ unit, why: 'runs with another unit file' }];
    const newer = [unitFile, ...Object.values(environment)].some(
      (file) => file?.kind === 'file' && isNewer(file.changed ?? 0, now, found.now),
    );
    return newer ? [{ unit, why: 'was started before its files were written' }] : [];
  });
  if (reasons.length === 0) return [];
  const names = reasons.map(({ unit }) => unit);
  const last = names.at(-1) as string;
  return [
    {
      resource: `unit ${names.join(' ')}`,
      action: 'restart',
      impact: 'restart',
      because: reasons.map(({ unit, why }) => `${unit} ${why}`).join('; '),
      commands: [
        ...names.slice(0, -1).map((unit) => bringUp('restart', unit, ['true'])),
        // It waits by itself: a first answer may take longer than one look.
        bringUp('restart', last, [SCRIPT, 'health', String(settings.health.timeoutSeconds)], 0),
      ],
    },
  ];
}
