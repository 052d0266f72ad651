import type { Change } from '../../engine/change.ts';
import { type Command, type FoundFile, restoreFile, script, write } from '../../engine/command.ts';
import { joinSecret, Secret } from '../../engine/secret.ts';
import { shellProgram } from '../../shell/program.ts';
import { type Found, planFile } from '../managed-file.ts';
import { bringChange } from '../managed-unit.ts';
import { bringUp, type UnitState } from '../systemd.ts';
import { CONF_PATH, confFile, lastOf, type Parameters, parseConf, quoteWord, renderConf } from './conf.ts';
import { RESTART_WANTED } from './live.ts';
import { HIDDEN, ruleOf } from './parameters.ts';
import { say } from './words.ts';

export const UNIT = 'redis-server';

/**
 * Filter of what Redis says at a start: what it complains of, without process id and time, its banner, and what may be a password. It quotes a
 * line that it refuses as a whole (config.c, loadServerConfigFromString), and of a user's rules the wrong one, which may be a password that
 * lacks its `>` (acl.c, ACLLoadConfiguredUsers).
 */
export const COMPLAINTS = `grep -v -e '^[^>]* [*] ' -e '# WARNING' -e '# Server initialized' -e '# Configuration loaded' -e '# oO0OoO0OoO0Oo ' -e '# Redis version=' | sed -E -e 's/^[0-9]*:[A-Z] [^#]*# //' -e 's/^(>>> .${HIDDEN}) .*/\\1 (not shown)/' -e 's/(ACL rule .)[^-+~%&@].*( for the user)/\\1(not shown)\\2/'`;

/** Values for `CONFIG SET`, by name. */
export type Values = readonly (readonly [name: string, value: string | Secret])[];

/** Any answer will do, NOAUTH too: the probe must not hold the password. */
function ping(port: number): readonly [string, ...string[]] {
  return ['sh', '-c', `redis-cli -p "$1" ${say('PING')} | grep -qE "PONG|NOAUTH|MISCONF"`, 'sh', String(port)];
}

function startNow(verb: 'start' | 'restart', port: number): Command {
  return bringUp(verb, UNIT, ping(port), 60, { path: '', pick: COMPLAINTS });
}

/** redis.conf as it was found, beside the one that these parameters make. */
function foundFile(found: FoundFile, parameters: Parameters): Found {
  return { kind: 'file', ...found, same: found.text === renderConf(parameters).reveal() };
}

/**
 * redis.conf with these parameters. What is taken back is the former file, with its mode and owner; then the server is started or
 * restarted from it, if it has to be.
 *
 * @param restarts the server has to be restarted for all of it to be in force. It is marked first, so that a run that is ended before
 *   the restart leaves that behind
 */
export function fileChange(before: FoundFile, parameters: Parameters, restarts: boolean, switched = false): Change[] {
  const file = confFile(parameters);
  const because = 'the file differs from the settings';
  const show = (former = '') => ({ ...differences(parseConf(former), parseConf(renderConf(parameters).reveal())), because });
  return planFile(file, foundFile(before, parameters), { show }).map((change) => ({
    ...change,
    commands: restarts ? [write(['touch', RESTART_WANTED]), ...change.commands] : change.commands,
    ...(switched ? { undo: [restoreFile(CONF_PATH, withAppendOnlyFile(before))] } : {}),
  }));
}

/** A former file for a server whose append-only file has been switched on: without it, its next start would read an old dump (redis#12484). */
function withAppendOnlyFile({ text, ...access }: FoundFile): FoundFile {
  const others = text.split('\n').filter((line) => !/^\s*appendonly\s/i.test(line));
  return { ...access, text: `${others.join('\n').replace(/\n*$/, '\n')}appendonly yes\n` };
}

/** Each directive that is added, changed or left out, with its lines before and after. */
function differences(before: ReadonlyMap<string, readonly string[]>, after: ReadonlyMap<string, readonly string[]>) {
  const names = [...new Set([...after.keys(), ...before.keys()])].filter(
    (name) => before.get(name)?.join('\n') !== after.get(name)?.join('\n'),
  );
  const shown = (file: ReadonlyMap<string, readonly string[]>, secret: (name: string) => string) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const lines = file.get(name);
        return lines === undefined ? [] : [[name, ruleOf(name).secret ? secret(name) : lines.join('; ')]];
      }),
    );
  return { before: shown(before, (name) => (after.has(name) ? '(secret, differs)' : '(secret)')), after: shown(after, () => '(secret)') };
}

/**
 * What the running server can change while it runs.
 *
 * @param former the values now, of the same names; `undefined` for a password that is not known
 * @param admin the password that the running server takes now, quoted as in its file; none when it has none
 * @param ports where it listens now, and after the change
 */
export function liveChange(
  values: Values,
  former: Values,
  { admin, ports, restarts }: { admin: Secret | undefined; ports: readonly [before: number, after: number]; restarts: boolean },
): Change {
  const shown = (all: Values, secret: string) =>
    Object.fromEntries(all.map(([name, value]) => (name === 'requirepass' ? ['password', secret] : [name, value])));
  return {
    resource: 'running server',
    action: 'update',
    before: shown(former, '(secret, differs)'),
    after: shown(values, '(secret)'),
    impact: 'none',
    because: 'CONFIG SET changes it without a restart',
    commands: switchLive(ports[0], ports[1], admin, values),
    undo: [setBack(ports, admin, values, former)],
    // A server that ended of the change starts from the former file.
    ...(restarts ? {} : { afterUndo: [startNow('start', ports[0])] }),
  };
}

/** The append-only file switched on. It stays on whatever follows: writes that were made since are in it alone. */
export function appendOnlyChange(port: number, admin: Secret | undefined): Change {
  return {
    resource: 'append-only file',
    action: 'update',
    before: 'no',
    after: 'yes',
    impact: 'none',
    because: 'CONFIG SET switches it on without a restart, and writes all data to it',
    commands: switchLive(port, port, admin, [['appendonly', 'yes']]),
  };
}

/** The unit started, or restarted, and enabled; with its former file it listens on the former port. */
export function bringUpChange(verb: 'start' | 'restart', because: string, port: number, unit: UnitState, formerPort = port): Change {
  const bring = (how: 'start' | 'restart') => startNow(how, port);
  return bringChange({ unit: UNIT, state: unit, bring, back: startNow('restart', formerPort) }, verb, because);
}

/** The password that redis.conf has, quoted as it stands there. */
export function quotedInFile(file: ReadonlyMap<string, readonly string[]>): Secret | undefined {
  const word = lastOf(file, 'requirepass');
  return word === undefined ? undefined : new Secret(word);
}

function configSet(values: Values): Secret {
  return say('CONFIG', 'SET', ...values.flatMap(([name, value]) => [name, quoteWord(value)]));
}

/** CONFIG SET in one step, then the wait for the first append-only file, which switching `appendonly` on starts. */
export function switchLive(port: number, portAfter: number, admin: Secret | undefined, values: Values): Command[] {
  const auth = (word: Secret | undefined) => (word === undefined ? [] : [say('AUTH', word), '\n']);
  const password = values.find(([name]) => name === 'requirepass')?.[1];
  return [
    script(
      'write',
      `reply=$(redis-cli -p "$1"); [ "$(printf '%s\\n' "$reply" | grep -cvx -e OK -e '')" = 0 ] || { printf '%s\\n' "$reply" >&2; exit 1; }`,
      [String(port)],
      { stdin: joinSecret([...auth(admin), configSet(values), '\n']), timeoutMs: 60_000 },
    ),
    script('write', shellProgram(import.meta.url, 'await-rewrite.sh'), [String(portAfter)], {
      stdin: joinSecret([...auth(password === undefined ? admin : quoteWord(password)), say('INFO', 'persistence'), '\n']),
    }),
  ];
}

/**
 * The former values, whether the new ones were set or not: it listens on one of the ports, and takes one of the passwords. A server that
 * does not run has nothing to set back.
 */
function setBack(ports: readonly [number, number], admin: Secret | undefined, values: Values, former: Values): Command {
  const password = values.find(([name]) => name === 'requirepass')?.[1];
  const passwords = [admin, password === undefined ? undefined : quoteWord(password)].filter((word) => word !== undefined);
  return script('write', shellProgram(import.meta.url, 'set-back.sh'), [UNIT, ...[...new Set(ports)].map(String)], {
    stdin: joinSecret([...passwords.flatMap((word) => [say('AUTH', word), '\n']), configSet(former), '\n']),
    timeoutMs: 60_000,
  });
}
