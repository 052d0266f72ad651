import type { Change } from '../../engine/change.ts';
import { type Command, restoreFile, script, write, writeFile } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { refuseTakenPorts, type WantedPort } from '../listeners.ts';
import { bringUp } from '../systemd.ts';
import { portIsOpen } from '../tcp.ts';
import { judged, type Trial } from '../trial.ts';
import { accessSteps, DATA_ACCESS, ENV_ACCESS, giveAccess, SECRET_ACCESS, type Step, UNIT_ACCESS } from './access.ts';
import { configFact, type FoundConfig } from './config-facts.ts';
import type { MinioSettings } from './settings.ts';
import { trialOf } from './trial.ts';
import { ENV_PATH, environmentFile, parseEnvironmentFile, SECRET_FILES, UNIT, UNIT_PATH, USER, unitText } from './unit.ts';

/** System user, data directory, credentials, EnvironmentFile and unit, and a server that runs with them. */
export const config = defineStage<MinioSettings, { config: FoundConfig; trial: Trial }>({
  name: 'config',
  facts: ({ settings }) => ({ config: configFact(settings), trial: trialOf(settings) }),
  plan({ config: found, trial }, desired) {
    refuseEmptyStart(found, desired);
    const warnings = judged(trial, 'MinIO');
    const { settings } = desired;
    refuseTakenPorts(trial.listeners, wantedPorts(settings), UNIT);
    const steps = [
      ...userSteps(found),
      ...dataSteps(found, settings),
      ...secretSteps(found, settings),
      ...environmentSteps(found, settings, warnings),
      ...unitSteps(found),
    ];
    const restarts = steps.some((step) => step.restarts);
    return [...steps.map(({ change }) => change), ...serviceChanges(found, settings, restarts)];
  },
});

function wantedPorts({ port, console, consolePort }: MinioSettings): WantedPort[] {
  return [{ port, setting: '"port"' }, ...(console ? [{ port: consolePort, setting: '"consolePort"' }] : [])];
}

/** Started on another directory, or on one that is not mounted, MinIO would find no objects and make new, empty metadata there. */
function refuseEmptyStart({ environment, data }: FoundConfig, { settings, context }: Desired<MinioSettings>): void {
  const now = environment === null ? undefined : parseEnvironmentFile(environment.text).MINIO_VOLUMES;
  const { instance } = context;
  if (now === undefined) return;
  if (now !== settings.dataDir) {
    throw new SafetyError(
      `MinIO's objects are in ${now}, and the settings say dataDir ${settings.dataDir}: started there it would be empty`,
      {
        instance,
        next: `set dataDir to ${now}; to move them, stop minio, move the directory, set MINIO_VOLUMES in ${ENV_PATH} to the new place and run configure again`,
      },
    );
  }
  if (data === null) {
    throw new SafetyError(`MinIO was set up with its objects in ${now}, and that directory is not there: started now it would be empty`, {
      instance,
      next: `find out where ${now} is (a mount that is missing, a roll-back); if its objects may really be gone, remove ${ENV_PATH} and run configure again`,
    });
  }
}

function userSteps({ user }: FoundConfig): Step[] {
  if (user) return [];
  const commands = [
    write(['useradd', '--system', '--user-group', '--home-dir', '/nonexistent', '--no-create-home', '--shell', '/usr/sbin/nologin', USER]),
  ];
  const because = 'the server must not run as root';
  return [{ change: { resource: `system user ${USER}`, action: 'create', impact: 'none', because, commands, undo: [] }, restarts: false }];
}

function dataSteps({ data }: FoundConfig, { dataDir }: MinioSettings): Step[] {
  const resource = `directory ${dataDir}`;
  if (data !== null) return accessSteps(resource, dataDir, data, DATA_ACCESS);
  const commands = [write(['mkdir', '-p', dataDir]), ...giveAccess(dataDir, DATA_ACCESS)];
  return [
    {
      change: { resource, action: 'create', after: DATA_ACCESS, impact: 'none', because: 'the objects go there', commands, undo: [] },
      restarts: false,
    },
  ];
}

function secretSteps(found: FoundConfig, settings: MinioSettings): Step[] {
  return (['rootUser', 'rootPassword'] as const).flatMap((name): Step[] => {
    const [file, path] = [found[name], SECRET_FILES[name]];
    const resource = `file ${path}`;
    if (file?.same === true) return accessSteps(resource, path, file, SECRET_ACCESS);
    const folder = path.slice(0, path.lastIndexOf('/'));
    const commands = [
      keepFormer(path),
      write(['mkdir', '-p', folder]),
      ...giveAccess(folder, { ...SECRET_ACCESS, mode: '750' }),
      writeFile({ path, content: settings[name], mode: `0${SECRET_ACCESS.mode}`, owner: SECRET_ACCESS.owner }),
    ];
    const after = { [name]: '(secret)' };
    const undo = [restoreFormer(path)];
    if (file === null)
      return [{ change: { resource, action: 'create', after, impact: 'none', because: 'missing', commands, undo }, restarts: true }];
    const before = { [name]: '(secret, differs)' };
    return [
      {
        change: { resource, action: 'update', before, after, impact: 'none', because: 'the secret has changed', commands, undo },
        restarts: true,
      },
    ];
  });
}

function environmentSteps({ environment }: FoundConfig, settings: MinioSettings, warnings: readonly string[]): Step[] {
  const content = environmentFile(settings);
  const resource = `file ${ENV_PATH}`;
  const commands = [writeFile({ path: ENV_PATH, content, mode: `0${ENV_ACCESS.mode}`, owner: ENV_ACCESS.owner })];
  const back = { commands, undo: [restoreFile(ENV_PATH, environment)], ...(warnings.length > 0 ? { warnings } : {}) };
  const wanted = parseEnvironmentFile(content);
  if (environment === null)
    return [{ change: { resource, action: 'create', after: wanted, impact: 'none', because: 'missing', ...back }, restarts: true }];
  if (environment.text === content) return accessSteps(resource, ENV_PATH, environment, ENV_ACCESS);
  const present = parseEnvironmentFile(environment.text);
  const names = [...new Set([...Object.keys(present), ...Object.keys(wanted)])].filter((name) => present[name] !== wanted[name]);
  // A foreign line may be a password that somebody put there.
  const before = Object.fromEntries(names.map((name) => [name, name in wanted ? present[name] : '(not shown)']));
  const after = Object.fromEntries(names.map((name) => [name, wanted[name]]));
  const because = names.length > 0 ? 'the file differs from the settings' : 'the file differs in comments or order';
  return [{ change: { resource, action: 'update', before, after, impact: 'none', because, ...back }, restarts: true }];
}

function unitSteps({ unit, service }: FoundConfig): Step[] {
  const resource = `file ${UNIT_PATH}`;
  const reload = write(['systemctl', 'daemon-reload']);
  const commands = [writeFile({ path: UNIT_PATH, content: unitText, mode: `0${UNIT_ACCESS.mode}`, owner: UNIT_ACCESS.owner }), reload];
  const undo = [restoreFile(UNIT_PATH, unit), reload];
  const after = 'the unit of nx-mooring';
  if (unit === null)
    return [{ change: { resource, action: 'create', after, impact: 'none', because: 'missing', commands, undo }, restarts: true }];
  if (unit.text !== unitText) {
    return [
      {
        change: { resource, action: 'update', before: 'another text', after, impact: 'none', because: 'the file differs', commands, undo },
        restarts: true,
      },
    ];
  }
  const access = accessSteps(resource, UNIT_PATH, unit, UNIT_ACCESS);
  if (!service.needsReload) return access;
  const because = 'systemd has not read the file since it changed';
  const change: Change = {
    resource: `unit ${UNIT}`,
    action: 'update',
    before: 'an older text of its file',
    after: 'its file',
    impact: 'none',
    because,
    commands: [reload],
    undo: [],
  };
  return [...access, { change, restarts: true }];
}

/**
 * Keeps a copy of a file whose content never leaves the container, for {@link restoreFormer}: in memory, where no snapshot has it, readable
 * as the file is, and gone with the container's next start.
 */
function keepFormer(path: string): Command {
  return script('write', 'rm -f "$2"; [ ! -e "$1" ] || { mkdir -p -m 0700 "${2%/*}"; cp -p "$1" "$2.new"; mv -f "$2.new" "$2"; }', [
    path,
    formerOf(path),
  ]);
}

/**
 * Puts back what {@link keepFormer} kept. A file that was not there before stays: no former file names it. What is there still is not written
 * again: the disk may be full.
 */
function restoreFormer(path: string): Command {
  return script(
    'write',
    'rm -f "$1.mooring-new"; [ ! -e "$2" ] || cmp -s "$2" "$1" || { cp -p "$2" "$1.mooring-new"; mv -f "$1.mooring-new" "$1"; }',
    [path, formerOf(path)],
  );
}

const formerOf = (path: string) => `/run/mooring/former${path}`;

function serviceChanges({ service, newerThanProcess, environment }: FoundConfig, { port }: MinioSettings, changed: boolean): Change[] {
  const resource = `unit ${UNIT}`;
  // With the former files it listens where they say.
  const back = { undo: [], afterUndo: [up('restart', portIn(environment) ?? port)] };
  if (service.active !== 'active') {
    const before = { active: service.active, enabled: service.enabled };
    const verb = service.active === 'activating' ? 'restart' : 'start';
    return [
      {
        resource,
        action: 'update',
        before,
        after: { active: 'active', enabled: 'enabled' },
        impact: 'restart',
        because: 'the service is not running',
        commands: [up(verb, port)],
        ...back,
      },
    ];
  }
  if (changed || newerThanProcess.length > 0) {
    const because = changed ? 'it reads its files at its start only' : `it runs since before ${newerThanProcess.join(', ')} changed`;
    return [{ resource, action: 'restart', impact: 'restart', because, commands: [up('restart', port)], ...back }];
  }
  if (service.enabled === 'enabled') return [];
  return [
    {
      resource,
      action: 'update',
      before: { enabled: service.enabled },
      after: { enabled: 'enabled' },
      impact: 'none',
      because: 'the service would not come back with the container',
      commands: [write(['systemctl', 'enable', '-q', UNIT])],
      undo: [],
    },
  ];
}

function portIn(environment: FoundConfig['environment']): number | undefined {
  const [, port] = /--address :(\d+)/.exec(environment === null ? '' : (parseEnvironmentFile(environment.text).MINIO_OPTS ?? '')) ?? [];
  return port === undefined ? undefined : Number(port);
}

function up(verb: 'start' | 'restart', port: number): Command {
  return bringUp(verb, UNIT, portIsOpen(port));
}
