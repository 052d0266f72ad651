import type { Change } from '../../engine/change.ts';
import { type Command, type FoundFile, write, writeFile } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { refuseTakenPorts, type WantedPort } from '../listeners.ts';
import { differenceOf, type Found, type Handling, type ManagedFile, planFile } from '../managed-file.ts';
import { DAEMON_RELOAD, planUnit, reloadChange } from '../managed-unit.ts';
import { bringUp } from '../systemd.ts';
import { portIsOpen } from '../tcp.ts';
import { judged, type Trial } from '../trial.ts';
import { configFact, type FoundConfig } from './config-facts.ts';
import type { MinioSettings } from './settings.ts';
import { trialOf } from './trial.ts';
import { ENV_PATH, environmentFile, parseEnvironmentFile, SECRET_FILES, UNIT, UNIT_PATH, USER, unitText } from './unit.ts';

/** A change, and whether the server must be restarted to see it. */
type Step = { readonly change: Change; readonly restarts: boolean };

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
      ...dataFolder(found, settings),
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

/** Where the objects go. */
function dataFolder(found: FoundConfig, { dataDir }: MinioSettings): Step[] {
  const changes = planFile({ kind: 'folder', path: dataDir, mode: '0700', owner: `${USER}:${USER}` }, found.data);
  return changes.map((change) => ({ change: { ...change, resource: `directory ${dataDir}` }, restarts: false }));
}

/** The credentials, readable for the server (by its group), writable for root only. */
function secretSteps(found: FoundConfig, settings: MinioSettings): Step[] {
  return (['rootUser', 'rootPassword'] as const).flatMap((name) => {
    const path = SECRET_FILES[name];
    const folder = path.slice(0, path.lastIndexOf('/'));
    const inItsFolder = (file: ManagedFile) => [
      write(['mkdir', '-p', folder]),
      write(['chown', file.owner, folder]),
      write(['chmod', '0750', folder]),
      writeFile(file),
    ];
    const show = () => ({
      ...(found[name] === null ? {} : { before: { [name]: '(secret, differs)' }, because: 'the secret has changed' }),
      after: { [name]: '(secret)' },
    });
    return fileStep({ kind: 'file', path, content: settings[name], mode: '0640', owner: `root:${USER}` }, found[name], {
      place: inItsFolder,
      show,
    });
  });
}

function environmentSteps({ environment }: FoundConfig, settings: MinioSettings, warnings: readonly string[]): Step[] {
  const content = environmentFile(settings);
  const after = parseEnvironmentFile(content);
  const show = (former?: string) => {
    if (former === undefined) return { after };
    const before = parseEnvironmentFile(former);
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
    return {
      // A foreign line may be a password that somebody put there.
      before: Object.fromEntries(names.map((name) => [name, name in after ? before[name] : '(not shown)'])),
      after: Object.fromEntries(names.map((name) => [name, after[name]])),
      because: names.length > 0 ? 'the file differs from the settings' : 'the file differs in comments or order',
    };
  };
  const steps = fileStep({ kind: 'file', path: ENV_PATH, content, mode: '0600', owner: 'root:root' }, textFound(environment, content), {
    show,
  });
  return steps.map((step) => (step.restarts && warnings.length > 0 ? { ...step, change: { ...step.change, warnings } } : step));
}

function unitSteps({ unit, service }: FoundConfig): Step[] {
  const file = { kind: 'file', path: UNIT_PATH, content: unitText, mode: '0644', owner: 'root:root' } as const;
  const show = (former?: string) => ({ ...(former === undefined ? {} : { before: 'another text' }), after: 'the unit of nx-mooring' });
  const steps = fileStep(file, textFound(unit, unitText), { show, follows: [DAEMON_RELOAD] });
  const isRead = !service.needsReload || steps.some(({ restarts }) => restarts);
  return isRead ? steps : [...steps, { change: reloadChange(UNIT), restarts: true }];
}

/** A file that the server reads at its start; for its mode and owner alone it need not be restarted. */
function fileStep(file: ManagedFile, found: Found, handling: Handling): Step[] {
  return planFile(file, found, handling).map((change) => ({ change, restarts: differenceOf(file, found) !== 'access' }));
}

function textFound(found: FoundFile | null, content: string): Found {
  return found === null ? null : { kind: 'file', ...found, same: found.text === content };
}

function serviceChanges({ service, newerThanProcess, environment }: FoundConfig, { port }: MinioSettings, changed: boolean): Change[] {
  const newer = newerThanProcess.length > 0 ? `it runs since before ${newerThanProcess.join(', ')} changed` : undefined;
  const { active, enabled } = service;
  return planUnit(
    // With the former files it listens where they say.
    { unit: UNIT, state: { active, enabled }, bring: (verb) => up(verb, port), back: up('restart', portIn(environment) ?? port) },
    changed ? 'it reads its files at its start only' : newer,
  );
}

function portIn(environment: FoundConfig['environment']): number | undefined {
  const [, port] = /--address :(\d+)/.exec(environment === null ? '' : (parseEnvironmentFile(environment.text).MINIO_OPTS ?? '')) ?? [];
  return port === undefined ? undefined : Number(port);
}

function up(verb: 'start' | 'restart', port: number): Command {
  return bringUp(verb, UNIT, portIsOpen(port));
}
