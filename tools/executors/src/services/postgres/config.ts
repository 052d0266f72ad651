import type { z } from 'zod';
import type { Change } from '../../engine/change.ts';
import { type Command, script } from '../../engine/command.ts';
import { InputError, MooringError, SafetyError } from '../../engine/errors.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { refuseTakenPorts } from '../listeners.ts';
import { planFile } from '../managed-file.ts';
import { judged, type Trial } from '../trial.ts';
import { desiredParameters, parameterLine, parseConf, renderConf, sameValue } from './conf.ts';
import { type ClusterFiles, clusterFiles, fileAndFound, pathOf } from './files.ts';
import { hbaRules, renderHba } from './hba.ts';
import { identifier, psql } from './psql.ts';
import { answerLine, askServer, configAnswer, listens, type NoServer, noServer } from './server.ts';
import type { PostgresSettings } from './settings.ts';
import { trialOfConfiguration } from './trial.ts';
import { reload, reloadUnasked, restart, start, startWithContainer, unitOf } from './unit.ts';

type Running = { readonly state: 'up'; readonly listening: boolean } & z.infer<typeof configAnswer>;

export type ConfigFacts = { readonly files: ClusterFiles; readonly server: Running | NoServer; readonly trial: Trial };

/** Our file in conf.d, pg_hba.conf, and a server that runs with both; reloaded or restarted only as the parameters need. */
export const config = defineStage<PostgresSettings, ConfigFacts>({
  name: 'config',
  facts: (desired) => ({
    files: clusterFiles,
    server: {
      name: 'running server',
      command: askServer(desired),
      parse: (result) => noServer(result) ?? { state: 'up', listening: listens(result), ...answerLine(result, 'config', configAnswer) },
    },
    trial: trialOfConfiguration(renderConf(desiredParameters(desired)), renderHba(desired.context.clientNetworks)),
  }),
  plan: planConfig,
});

function planConfig({ files, server, trial }: ConfigFacts, desired: Desired<PostgresSettings>): Change[] {
  const { settings, context } = desired;
  const parameters = desiredParameters(desired);
  const conf = renderConf(parameters);
  refuseTakenPort(trial, server, desired, unitOf(files.major));
  if (server.state === 'up') refuseUnusable(server, files, settings, files.conf === conf, files.hba === renderHba(context.clientNetworks));
  const written = withWarning(trial, files.major, [...planConf(files, conf), ...planHba(files, renderHba(context.clientNetworks))]);
  const changes = [...written, ...startWithContainer(files)];
  if (server.state === 'refused') return [...changes, reloadUnasked(files, 'it does not let its superuser in over the socket')];
  if (server.state === 'full') return [...changes, ...restartFull(files, settings, server, written)];
  if (server.state !== 'up') return [...changes, start(files, settings, server)];

  const shadowed = server.overridden.map(({ name }) => name);
  if (shadowed.length > 0) changes.push(unshadow(files.major, server.overridden));
  const restarting = needRestart(files, parameters, server, files.conf !== conf || server.stale || shadowed.length > 0);
  const formerPort = Number(server.parameters.port?.value ?? settings.port);
  if (restarting.length > 0) changes.push(restart(files, settings, formerPort, `only a restart changes ${restarting.join(', ')}`));
  else if (!server.listening) changes.push(restart(files, settings, formerPort, `it runs, but does not listen on port ${settings.port}`));
  else if (written.length > 0 || server.stale || shadowed.length > 0)
    changes.push(
      reload(
        files,
        written.length > 0 || shadowed.length > 0 ? 'it has to read what is changed' : 'it has not read its files since they were written',
      ),
    );
  return changes;
}

/** A server that has its port already keeps it, in whatever control group it was started. */
function refuseTakenPort({ listeners }: Trial, server: ConfigFacts['server'], desired: Desired<PostgresSettings>, unit: string): void {
  const { port } = desired.settings;
  if (server.state === 'up' && server.parameters.port?.value === String(port)) return;
  refuseTakenPorts(listeners, [{ port, address: String(desiredParameters(desired).listen_addresses), setting: '"port"' }], unit);
}

/** Of a server that has no connection left even for its superuser, so that it cannot be asked what a reload would change. */
function restartFull(files: ClusterFiles, settings: PostgresSettings, { said }: NoServer, written: readonly Change[]): Change[] {
  if (written.length > 0) return [restart(files, settings, settings.port, 'it has no connection left, and its files change')];
  throw new MooringError('the server does not let postgres in over its socket', {
    stderr: said,
    next: 'end sessions of the application, or give more "max_connections" in settings.parameters',
  });
}

/** The changes of files that were tried. @throws InputError when a server refuses them */
function withWarning(trial: Trial, major: number, changes: Change[]): Change[] {
  const [first, ...rest] = changes;
  if (first === undefined) return [];
  const warnings = judged(trial, `PostgreSQL ${major}`);
  return warnings.length === 0 ? changes : [{ ...first, warnings }, ...rest];
}

/** The parameters that only a restart brings into force: what will be in the file against what the server runs with. */
function needRestart(files: ClusterFiles, parameters: Readonly<Record<string, string>>, server: Running, differs: boolean): string[] {
  const live = server.parameters;
  const pending = Object.keys(live).filter((name) => live[name]?.pending);
  if (!differs) return pending;
  const wanted = Object.entries(parameters).filter(([name, value]) => live[name]?.restart && !sameValue(value, live[name]));
  const dropped = Object.keys(files.conf === null ? {} : parseConf(files.conf)).filter(
    (name) => parameters[name] === undefined && live[name]?.restart,
  );
  return [...new Set([...pending, ...wanted.map(([name]) => name), ...dropped])];
}

/** What must be said before anything is changed. */
function refuseUnusable(
  server: Running,
  { major }: ClusterFiles,
  settings: PostgresSettings,
  confWritten: boolean,
  hbaWritten: boolean,
): void {
  if (server.encoding !== 'UTF8') {
    throw new SafetyError(`cluster ${major}/main has the encoding ${server.encoding}, not UTF8; an encoding cannot be changed in place`, {
      next: 'dump the database, bring it into a new container (created with UTF8) and check its texts; nothing is re-created here',
    });
  }
  const unknown = Object.keys(settings.parameters).filter(
    (name) => !name.includes('.') && server.parameters[name.toLowerCase()] === undefined,
  );
  if (unknown.length > 0) {
    throw new InputError(`PostgreSQL ${major} knows no parameter ${unknown.join(', ')}`, {
      next: 'fix settings.parameters in container.json',
    });
  }
  const port = server.parameters.port?.value;
  if (port !== undefined && port !== String(settings.port) && server.listening) {
    throw new InputError(`port ${settings.port} of the container is taken: something else than this server listens on it`, {
      next: 'choose another "port" in container.json, or end what listens there (ss -ltnp, in the container)',
    });
  }
  const elsewhere = server.overridden.find(({ file }) => !file.endsWith('/postgresql.auto.conf'));
  if (elsewhere !== undefined) {
    throw new MooringError(`${elsewhere.name} is set again in ${elsewhere.file}, line ${elsewhere.line}, after the settings' own`, {
      next: `remove that line, and put the value you want into settings.parameters`,
    });
  }
  if (confWritten && !server.included) {
    throw new MooringError(`postgresql.conf of cluster ${major}/main does not include conf.d`, {
      next: `add the line "include_dir = 'conf.d'" at its end`,
    });
  }
  const errors = [...(confWritten ? server.errors : []), ...(hbaWritten ? server.hbaErrors : [])];
  if (errors.length > 0) {
    throw new MooringError(
      `PostgreSQL does not take what is in ${confWritten && server.errors.length > 0 ? pathOf('conf', major) : pathOf('hba', major)}`,
      {
        stderr: errors.join('\n'),
        next: 'fix settings.parameters in container.json',
      },
    );
  }
}

function planConf(files: ClusterFiles, text: string): Change[] {
  const after = parseConf(text);
  const show = (former?: string) => {
    const before = former === undefined ? {} : parseConf(former);
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
    const only = (values: Readonly<Record<string, string>>) =>
      Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
    const inWords = names.length > 0 ? '' : ' in comments or order';
    return {
      before: only(before),
      after: only(after),
      ...(former === undefined ? {} : { because: `differs from the settings${inWords}` }),
    };
  };
  return planFile(...fileAndFound('conf', files, text), { show });
}

function planHba(files: ClusterFiles, text: string): Change[] {
  const after = hbaRules(text);
  const show = (former = '') => {
    const before = hbaRules(former);
    return {
      before: before.filter((rule) => !after.includes(rule)),
      after: after.filter((rule) => !before.includes(rule)),
      because: 'who may connect differs from the settings and the networks of the environment',
    };
  };
  return planFile(...fileAndFound('hba', files, text), { show });
}

/** What hides our values in postgresql.auto.conf taken out, and what puts it back. */
function unshadow(major: number, overridden: Running['overridden']): Change {
  const names = overridden.map(({ name }) => name);
  return {
    resource: 'parameters set by ALTER SYSTEM',
    action: 'update',
    before: names,
    after: [],
    impact: 'none',
    because: 'they hide what the settings say',
    commands: [psql('write', names.map((name) => `ALTER SYSTEM RESET ${identifier(name)};\n`).join(''), 15_000)],
    undo: [setInAutoConf(major, overridden)],
  };
}

/**
 * Not by ALTER SYSTEM: the server may be down by then, and it would put quotes around a list as a whole (`'a, b'`). What it finds in the file it keeps.
 */
function setInAutoConf(major: number, overridden: Running['overridden']): Command {
  return script(
    'write',
    `while IFS= read -r line; do grep -qxF -- "$line" "$1" || printf '%s\\n' "$line" >>"$1"; done`,
    [`/var/lib/postgresql/${major}/main/postgresql.auto.conf`],
    { stdin: overridden.map(({ name, value }) => parameterLine(name, value)).join('') },
  );
}
