import type { Change } from '../../engine/change.ts';
import { type Command, read, script, writeFile } from '../../engine/command.ts';
import { CommandError, commandFailed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { joinSecret, Secret } from '../../engine/secret.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { bringUp, type UnitState, unitState } from '../systemd.ts';
import { CONF_PATH, desiredParameters, type Parameters, parseConf, quoteWord, renderConf } from './conf.ts';
import type { RedisSettings } from './settings.ts';

export const UNIT = 'redis-server';

/** Parameters that CONFIG SET cannot change (Redis 7 and 8: `IMMUTABLE_CONFIG` in config.c). */
const restartOnly = new Set([
  'databases',
  'io-threads',
  'unixsocket',
  'aclfile',
  'cluster-enabled',
  'pidfile',
  'logfile',
  'dir',
  'tcp-backlog',
]);

/** Parameters that the running server is not compared on: paths are Debian's own, the password is asked with AUTH. */
const notCompared = new Set(['pidfile', 'logfile', 'dir', 'requirepass']);

export type ConfigFacts = {
  readonly file: string;
  readonly unit: UnitState;
  /**
   * What the running server says of our parameters; `down` when nothing listens, `refused` when it takes neither the
   * file's password nor the desired one, `silent` when something listens and gives no answer that is known.
   */
  readonly live: Readonly<Record<string, string>> | 'down' | 'refused' | 'silent';
  /** Whether the running server takes the desired password. */
  readonly takesPassword: boolean;
};

/** redis.conf and the running server, brought to the settings; data is kept through the switch to the append-only file. */
export const config = defineStage<RedisSettings, ConfigFacts>({
  name: 'config',
  facts: ({ settings }) => ({
    file: {
      name: CONF_PATH,
      command: read(['cat', CONF_PATH]),
      parse: (result) => {
        if (result.code !== 0) throw commandFailed(result, `${CONF_PATH} could not be read`);
        return result.stdout;
      },
    },
    unit: unitState(UNIT),
    live: liveParameters(settings),
    takesPassword: {
      name: 'password',
      command: read(['redis-cli', '-p', String(settings.port)], {
        stdin: joinSecret(['AUTH ', quoteWord(settings.password), '\n']),
        timeoutMs: 5000,
      }),
      parse: (result) => result.code === 0 && result.stdout.trim() === 'OK',
    },
  }),
  plan: planConfig,
});

function planConfig(facts: ConfigFacts, { settings }: Desired<RedisSettings>): Change[] {
  const parameters = desiredParameters(settings);
  const text = renderConf(parameters);
  const before = parseConf(facts.file);
  const fileDiffers = facts.file !== text.reveal();
  const write = fileChange(before, parameters, text);
  const running = facts.unit.active === 'active';

  if (!running) {
    const start: Change = {
      resource: `unit ${UNIT}`,
      action: 'update',
      before: facts.unit.active,
      after: 'active',
      impact: 'restart',
      because: 'the service is not running',
      commands: [bringUp('start', UNIT, ping(settings.port))],
    };
    if (!fileDiffers) return [start];
    // Started with `appendonly yes`, Redis reads the append-only file and forgets what only the RDB file has (redis#12484):
    // so it is started as it last ran, and switched over live.
    if (before.get('appendonly') === 'yes') return [write, start];
    const asBefore = parameters.map(([name, value]) => [name, name === 'appendonly' ? 'no' : value] as const);
    return [
      {
        ...fileChange(before, asBefore, renderConf(asBefore)),
        because: 'it is started without the append-only file first, so that the RDB data is read',
      },
      start,
      {
        ...write,
        before: { appendonly: 'no' },
        after: { appendonly: 'yes' },
        commands: [...switchLive(settings.port, settings.port, quoteWord(settings.password), [['appendonly', 'yes']]), ...write.commands],
      },
    ];
  }

  const enable: Change[] =
    facts.unit.enabled === 'enabled'
      ? []
      : [
          {
            resource: `unit ${UNIT}`,
            action: 'update',
            before: facts.unit.enabled,
            after: 'enabled',
            impact: 'none',
            because: 'the service would not come back with the container',
            commands: [{ argv: ['systemctl', 'enable', '-q', UNIT], effect: 'write' }],
          },
        ];

  if (facts.live === 'silent') {
    throw new CommandError('redis runs, but gives no answer to CONFIG GET: it may be loading its data, or busy', {
      next: `journalctl -u ${UNIT}, in the container; run the same command again when it answers`,
    });
  }
  if (facts.live === 'refused' || facts.live === 'down') {
    if (facts.live === 'refused' && before.get('appendonly') !== 'yes') {
      throw new CommandError(
        'redis runs with a password that is neither in its file nor in the settings, and without its append-only file: a restart could lose data',
        {
          next: 'set the password live by hand (CONFIG SET requirepass) to the one of the settings, then run configure again',
        },
      );
    }
    return [
      ...(fileDiffers ? [write] : []),
      ...enable,
      restart(facts.live === 'refused' ? 'its password is not the one of its file' : 'nothing answers on its port', settings.port),
    ];
  }

  const live = facts.live;
  const differing = Object.entries(comparable(settings)).filter(([name, value]) => live[name] !== value);
  const settable = differing.filter(([name]) => !restartOnly.has(name));
  const changes: Change[] = [];
  if (settable.length > 0 || !facts.takesPassword) {
    const password = facts.takesPassword ? [] : [['requirepass', settings.password] as const];
    changes.push({
      resource: 'running server',
      action: 'update',
      before: {
        ...Object.fromEntries(settable.map(([name]) => [name, live[name]])),
        ...(password.length ? { password: '(secret, differs)' } : {}),
      },
      after: { ...Object.fromEntries(settable), ...(password.length ? { password: '(secret)' } : {}) },
      impact: 'none',
      because: 'CONFIG SET changes it without a restart',
      commands: switchLive(
        Number(before.get('port') ?? settings.port),
        settings.port,
        facts.takesPassword ? quoteWord(settings.password) : quotedInFile(before),
        [...settable, ...password],
      ),
    });
  }
  if (fileDiffers) changes.push(write);
  changes.push(...enable);
  const needRestart = differing.filter(([name]) => restartOnly.has(name)).map(([name]) => name);
  if (needRestart.length > 0) changes.push(restart(`only a restart changes ${needRestart.join(', ')}`, settings.port));
  return changes;
}

/** The parameters that the running server must report, as it spells them. */
function comparable(settings: RedisSettings): Record<string, string> {
  const entries = desiredParameters(settings).filter(([name]) => !notCompared.has(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/**
 * Asks the running server, with the password of its file (which never leaves the container) and the desired one: after a
 * failed AUTH an earlier successful one still holds.
 */
function liveParameters(settings: RedisSettings): Fact<ConfigFacts['live']> {
  const names = Object.keys(comparable(settings));
  return {
    name: 'running server',
    command: script(
      'read',
      `conf=$1; shift
port=$(sed -n 's/^port *//p' "$conf" | tail -n 1)
{ sed -n 's/^requirepass /AUTH /p' "$conf" | tail -n 1; cat; echo "CONFIG GET $*"; } | redis-cli -p "\${port:-6379}"`,
      [CONF_PATH, ...names],
      { stdin: joinSecret(['AUTH ', quoteWord(settings.password), '\n']), timeoutMs: 5000 },
    ),
    parse(result) {
      if (/Connection refused/.test(result.stderr + result.stdout)) return 'down';
      const lines = result.stdout.split('\n');
      const start = lines.findIndex((line) => names.includes(line));
      if (start < 0 && /^NOAUTH/m.test(result.stdout)) return 'refused';
      if (start < 0 || result.code !== 0) return 'silent';
      const pairs = lines.slice(start, -1);
      return Object.fromEntries(pairs.flatMap((name, i) => (i % 2 === 0 ? [[name, pairs[i + 1] ?? '']] : [])));
    },
  };
}

/** The password that redis.conf has, quoted as it stands there. */
function quotedInFile(file: ReadonlyMap<string, string>): Secret | undefined {
  const word = file.get('requirepass');
  return word === undefined ? undefined : new Secret(word);
}

type Values = readonly (readonly [name: string, value: string | Secret])[];

/**
 * CONFIG SET in one step, then the wait for the first append-only file, which switching `appendonly` on starts.
 *
 * @param admin the password that the running server takes now, quoted as in its file; none when it has none
 * @param port where it listens now; `portAfter` where it listens after the step
 */
function switchLive(port: number, portAfter: number, admin: Secret | undefined, values: Values): Command[] {
  const auth = (word: Secret | undefined) => (word === undefined ? [] : ['AUTH ', word, '\n']);
  const set = values.flatMap(([name, value]) => [` ${name} `, quoteWord(value)]);
  const password = values.find(([name]) => name === 'requirepass')?.[1];
  return [
    script(
      'write',
      `reply=$(redis-cli -p "$1"); [ "$(printf '%s\\n' "$reply" | grep -cvx -e OK -e '')" = 0 ] || { printf '%s\\n' "$reply" >&2; exit 1; }`,
      [String(port)],
      { stdin: joinSecret([...auth(admin), 'CONFIG SET', ...set, '\n']) },
    ),
    script(
      'write',
      `ask=$(cat); seconds=600
while info=$(printf '%s\\n' "$ask" | redis-cli -p "$1" | tr -d '\\r'); do
  printf '%s\\n' "$info" | grep -qx -e aof_rewrite_in_progress:1 -e aof_rewrite_scheduled:1 || break
  [ "$seconds" -gt 0 ] || { echo 'the append-only file is still being written after 10 minutes' >&2; exit 1; }
  seconds=$((seconds - 1)); sleep 1
done
printf '%s\\n' "$info" | grep -qx aof_last_bgrewrite_status:ok || { echo 'the append-only file could not be written' >&2; exit 1; }`,
      [String(portAfter)],
      { stdin: joinSecret([...auth(password === undefined ? admin : quoteWord(password)), 'INFO persistence\n']) },
    ),
  ];
}

function fileChange(before: ReadonlyMap<string, string>, parameters: Parameters, text: Secret): Change {
  const after = parseConf(text.reveal());
  const differing = [...after.keys()].filter((name) => before.get(name) !== after.get(name));
  const dropped = [...before.keys()].filter((name) => !after.has(name));
  const secret = before.has('requirepass') ? '(secret, differs)' : undefined;
  return {
    resource: `file ${CONF_PATH}`,
    action: 'update',
    before: {
      ...Object.fromEntries(differing.map((name) => [name, name === 'requirepass' ? secret : before.get(name)])),
      ...(dropped.length > 0 ? { 'not in the settings': dropped.length > 4 ? `${dropped.length} parameters` : dropped.join(', ') } : {}),
    },
    after: Object.fromEntries(differing.map((name) => [name, name === 'requirepass' ? '(secret)' : after.get(name)])),
    impact: 'none',
    because: 'the file differs from the settings',
    commands: [writeFile({ path: CONF_PATH, content: renderConf(parameters), mode: '0640', owner: 'redis:redis' })],
  };
}

function restart(because: string, port: number): Change {
  return { resource: `unit ${UNIT}`, action: 'restart', impact: 'restart', because, commands: [bringUp('restart', UNIT, ping(port))] };
}

/** Any answer will do, NOAUTH too: the probe must not hold the password. */
function ping(port: number): readonly [string, ...string[]] {
  return ['sh', '-c', 'redis-cli -p "$1" PING | grep -qE "PONG|NOAUTH"', 'sh', String(port)];
}
