import type { z } from 'zod';
import type { Change } from '../../engine/change.ts';
import { type Command, script, writeFile } from '../../engine/command.ts';
import { InputError, MooringError, SafetyError } from '../../engine/errors.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { confPath, desiredParameters, parseConf, renderConf, sameValue } from './conf.ts';
import { type ClusterFiles, clusterFiles } from './files.ts';
import { hbaPath, hbaRules, renderHba } from './hba.ts';
import { AS_POSTGRES, identifier, psql } from './psql.ts';
import { answerLine, askServer, configAnswer, listens, type NoServer, noServer } from './server.ts';
import type { PostgresSettings } from './settings.ts';
import { reload, restart, start, startWithContainer } from './unit.ts';

type Running = { readonly state: 'up'; readonly listening: boolean } & z.infer<typeof configAnswer>;

export type ConfigFacts = { readonly files: ClusterFiles; readonly server: Running | NoServer };

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
  }),
  plan: planConfig,
});

function planConfig({ files, server }: ConfigFacts, desired: Desired<PostgresSettings>): Change[] {
  const { settings, context } = desired;
  const parameters = desiredParameters(desired);
  const conf = renderConf(parameters);
  const hba = renderHba(context.clientNetworks);
  const changes: Change[] = [];
  if (server.state === 'up') refuseUnusable(server, files, settings, files.conf === conf, files.hba === hba);
  if (files.conf !== conf) changes.push(confChange(files, conf));
  if (files.hba !== hba) changes.push(hbaChange(files, hba));
  if (files.start !== 'auto' || !files.enabled) changes.push(startWithContainer(files));
  if (server.state === 'refused') return [...changes, reload(files, 'it does not let its superuser in over the socket')];
  if (server.state !== 'up') return [...changes, start(files, settings, server)];

  const written = files.conf !== conf || files.hba !== hba;
  const shadowed = server.overridden.map(({ name }) => name);
  if (shadowed.length > 0) changes.push(unshadow(shadowed));
  const restarting = needRestart(files, parameters, server, files.conf !== conf || server.stale || shadowed.length > 0);
  if (restarting.length > 0) changes.push(restart(files, settings, `only a restart changes ${restarting.join(', ')}`));
  else if (!server.listening) changes.push(restart(files, settings, `it runs, but does not listen on port ${settings.port}`));
  else if (written || server.stale || shadowed.length > 0)
    changes.push(
      reload(
        files,
        written || shadowed.length > 0 ? 'it has to read what is changed' : 'it has not read its files since they were written',
      ),
    );
  return changes;
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
  const unknown = Object.keys(settings.parameters).filter((name) => !name.includes('.') && server.parameters[name] === undefined);
  if (unknown.length > 0) {
    throw new InputError(`PostgreSQL ${major} knows no parameter ${unknown.join(', ')}`, {
      next: 'mend settings.parameters in container.json',
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
      `PostgreSQL does not take what is in ${confWritten && server.errors.length > 0 ? confPath(major) : hbaPath(major)}`,
      {
        stderr: errors.join('\n'),
        next: 'mend settings.parameters in container.json',
      },
    );
  }
}

function confChange({ major, conf }: ClusterFiles, text: string): Change {
  const before = conf === null ? {} : parseConf(conf);
  const after = parseConf(text);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
  const only = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
  return {
    resource: `file ${confPath(major)}`,
    action: conf === null ? 'create' : 'update',
    ...(conf === null ? {} : { before: only(before) }),
    after: only(after),
    impact: 'none',
    because:
      conf === null ? 'not there' : names.length > 0 ? 'differs from the settings' : 'differs from the settings in comments or order',
    commands: [placeConf(major, text)],
  };
}

function hbaChange({ major, hba }: ClusterFiles, text: string): Change {
  const before = hbaRules(hba ?? '');
  const after = hbaRules(text);
  return {
    resource: `file ${hbaPath(major)}`,
    action: 'update',
    before: before.filter((rule) => !after.includes(rule)),
    after: after.filter((rule) => !before.includes(rule)),
    impact: 'none',
    because: 'who may connect differs from the settings and the networks of the environment',
    commands: [writeFile({ path: hbaPath(major), content: text, mode: '0640', owner: 'postgres:postgres' })],
  };
}

/**
 * Puts our file in place once the server's own program has read it without complaint: a value that is refused would be found only
 * by a restart that does not come up. The file is checked alone (`-C` reads the configuration and starts nothing).
 */
function placeConf(major: number, text: string): Command {
  return script(
    'write',
    `major=$1 conf=$2; new=$conf.mooring-new
umask 022; mkdir -p "\${conf%/*}"; cat >"$new"
check=$(mktemp); trap 'rm -f "$check" "$new"' EXIT
etc=/etc/postgresql/$major/main
printf "%s = '%s'\\n" data_directory "/var/lib/postgresql/$major/main" hba_file "$etc/pg_hba.conf" ident_file "$etc/pg_ident.conf" >"$check"
printf "include '%s'\\n" "$new" >>"$check"
chown postgres:postgres "$check" "$new"
if ! said=$(setpriv ${AS_POSTGRES.join(' ')} "/usr/lib/postgresql/$major/bin/postgres" -C port -c "config_file=$check" 2>&1); then
  printf '%s\\n' "$said" >&2; exit 65
fi
mv -f "$new" "$conf"`,
    [String(major), confPath(major)],
    { stdin: text },
  );
}

function unshadow(names: readonly string[]): Change {
  return {
    resource: 'parameters set by ALTER SYSTEM',
    action: 'update',
    before: names,
    after: [],
    impact: 'none',
    because: 'they hide what the settings say',
    commands: [psql('write', names.map((name) => `ALTER SYSTEM RESET ${identifier(name)};\n`).join(''), 15_000)],
  };
}
