import type { Change } from '../../engine/change.ts';
import type { FoundFile } from '../../engine/command.ts';
import { CommandError, InputError, SafetyError } from '../../engine/errors.ts';
import { reveal } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { refuseTakenPorts } from '../listeners.ts';
import type { UnitState } from '../systemd.ts';
import { judged, type Trial } from '../trial.ts';
import {
  accessDiffers,
  appendOnlyChange,
  bringUpChange,
  enableChange,
  fileChange,
  liveChange,
  quotedInFile,
  switchLive,
  UNIT,
  type Values,
} from './changes.ts';
import { sameWords, splitWords } from './compare.ts';
import { CONF_PATH, desiredParameters, lastOf, type Parameters, parseConf, quoteWord, renderConf } from './conf.ts';
import type { Live } from './live.ts';
import { ruleOf } from './parameters.ts';
import { wantedPorts } from './ports.ts';
import { OWN_CONNECTIONS, type RedisSettings } from './settings.ts';
import { spelled } from './trial.ts';

export type ConfigFacts = {
  readonly file: FoundFile;
  readonly unit: UnitState;
  readonly live: Live;
  readonly trial: Trial;
};

/** The running server, when it answers. */
type Answers = Extract<Live, { state: 'answers' }>;
/** Of Redis, where the settings do not say it. */
const DATABASES = 16;

type Lines = Parameters[number][1];
/** What {@link planConfig} works on. */
type Look = { readonly facts: ConfigFacts; readonly settings: RedisSettings; readonly parameters: Parameters };

export function planConfig(facts: ConfigFacts, { settings }: Desired<RedisSettings>): Change[] {
  const { trial, live } = facts;
  const look = { facts, settings, parameters: desiredParameters(settings) };
  const warnings = judged(trial, 'redis');
  refuseTakenPorts(trial.listeners, wantedPorts(settings), UNIT);
  refuseOtherMeaning(look);
  refuseOtherData(look);
  refuseFewerDatabases(look);
  refuseFewerClients(look);
  const changes =
    facts.unit.active !== 'active' ? stopped(look) : live.state === 'answers' ? running(look, live) : unreachable(look, live.state);
  return changes.map((change) => (warnings.length > 0 && change.resource === `file ${CONF_PATH}` ? { ...change, warnings } : change));
}

/** What Redis makes something else of would differ in every run: `maxclients` beyond the open files that its unit may have. */
function refuseOtherMeaning({ facts: { trial }, parameters }: Look): void {
  const spelling = spellingOf(trial);
  for (const [name, lines] of parameters) {
    const made = ruleOf(name).tried === false ? undefined : spelling[name];
    if (made === undefined || means(name, lines, made)) continue;
    throw new InputError(`redis makes "${made}" of ${name} ${lines.map(String).join('; ')}`, {
      next: `set ${name} to a value that it takes as it is; nothing was changed`,
    });
  }
}

/** A server that starts with another folder or file is empty, and everything else looks well. */
function refuseOtherData({ facts: { file, live }, parameters }: Look): void {
  const values = live.state === 'answers' ? live.values : {};
  const before = parseConf(file.text);
  for (const [name, lines] of parameters) {
    if (ruleOf(name).finds !== 'data') continue;
    const now = name === 'dir' ? lastWord(before, name) : (values[name] ?? lastWord(before, name));
    const after = wordsOf(lines).at(-1);
    if (now === undefined || now === after) continue;
    throw new SafetyError(`redis has its data in ${name} ${now}: with ${name} ${after} it would start without them`, {
      next: `leave ${name} as it is, or move the data by hand first`,
    });
  }
}

/**
 * A server with fewer databases puts what the append-only file has of the others into the ones that it knows: SELECT fails without a word
 * while the file is read (aof.c, loadSingleAppendOnlyFile).
 */
function refuseFewerDatabases({ facts: { file, live }, parameters }: Look): void {
  const after = Number(parameters.find(([name]) => name === 'databases')?.[1].at(-1) ?? DATABASES);
  // One that does not answer may have keys in any of the databases that its file gives it.
  const highest = live.state === 'answers' ? live.highestDatabase : Number(lastWord(parseConf(file.text), 'databases') ?? DATABASES) - 1;
  if (highest < after) return;
  const has = live.state === 'answers' ? `has keys in database ${highest}` : `may have keys in database ${highest}`;
  throw new SafetyError(`redis ${has}, and would have ${after} databases: they would come into another one`, {
    next: `set "databases" to ${highest + 1} or more in "parameters"`,
  });
}

/** A server that is at its limit lets neither new clients in nor the look that would find that out. */
function refuseFewerClients({ facts: { live }, parameters }: Look): void {
  const limit = parameters.find(([name]) => name === 'maxclients')?.[1].at(-1);
  if (limit === undefined || live.state !== 'answers') return;
  // Without the connection of this look.
  const needed = live.clients - 1 + OWN_CONNECTIONS;
  if (Number(limit) >= needed) return;
  throw new InputError(
    `redis has ${live.clients - 1} clients connected, and nx-mooring needs ${OWN_CONNECTIONS} connections: maxclients ${limit} is too small`,
    {
      next: `set maxclients to ${needed} or more in "parameters"`,
    },
  );
}

function stopped({ facts, settings, parameters }: Look): Change[] {
  const before = parseConf(facts.file.text);
  const start = bringUpChange('start', 'the service is not running', settings.port, facts.unit);
  const write = fileChange(facts.file, parameters, false);
  if (!differs(facts.file, parameters)) return [start];
  // Started with `appendonly yes`, Redis reads the append-only file and forgets what only the RDB file has (redis#12484):
  // so it is started as it last ran, and switched over live.
  if (lastWord(before, 'appendonly') === 'yes') return [write, start];
  const asBefore = parameters.map(([name, lines]) => [name, name === 'appendonly' ? ['no'] : lines] as const);
  const { undo: _, ...switched } = write;
  return [
    {
      ...fileChange(facts.file, asBefore, false),
      because: 'it is started without the append-only file first, so that the RDB data is read',
    },
    start,
    {
      ...switched,
      before: { appendonly: 'no' },
      after: { appendonly: 'yes' },
      commands: [...switchLive(settings.port, settings.port, quoteWord(settings.password), [['appendonly', 'yes']]), ...write.commands],
    },
  ];
}

function unreachable({ facts, settings, parameters }: Look, state: Exclude<Live['state'], 'answers'>): Change[] {
  if (state === 'silent') {
    throw new CommandError('redis runs, but gives no answer to CONFIG GET: it may be loading its data, or busy', {
      next: `journalctl -u ${UNIT}, in the container; run the same command again when it answers`,
    });
  }
  const before = parseConf(facts.file.text);
  if (state === 'refused' && lastWord(before, 'appendonly') !== 'yes') {
    throw new SafetyError(
      'redis runs with a password that is neither in its file nor in the settings, and without its append-only file: a restart could lose data',
      {
        next: 'set the password live by hand (CONFIG SET requirepass) to the one of the settings, then run configure again',
      },
    );
  }
  const because = state === 'refused' ? 'its password is not the one of its file' : 'nothing answers on its port';
  return [
    ...(differs(facts.file, parameters) ? [fileChange(facts.file, parameters, true)] : []),
    ...enabled(facts),
    bringUpChange('restart', because, settings.port, facts.unit),
  ];
}

function running({ facts, settings, parameters }: Look, live: Answers): Change[] {
  const before = parseConf(facts.file.text);
  const formerPort = Number(lastWord(before, 'port') ?? settings.port);
  const differing = [...differingOf(parameters, live, facts.trial), ...removed(before, parameters, live, facts.trial)];
  const waits = [
    ...differing.filter(({ name, value }) => live.restartOnly.includes(name) || value === undefined).map(({ name }) => name),
    ...directives(before, parameters, live),
  ];
  const restarts = waits.length > 0 || live.restartWanted;
  // A restart brings all of the file into force. Only the append-only file has to be there before it (redis#12484).
  const broughtAlong = [...differing.map(({ name }) => name), ...(live.takesPassword ? [] : ['requirepass'])].filter(
    (name) => name !== 'appendonly' && !waits.includes(name),
  );
  const settable = differing.flatMap(({ name, value }) =>
    value === undefined || (restarts && name !== 'appendonly') ? [] : [[name, value] as const],
  );
  const password: Values = live.takesPassword || restarts ? [] : [['requirepass', settings.password]];
  const values = [...settable, ...password].filter(([name]) => name !== 'appendonly');
  const switched = settable.length + password.length > values.length;
  const admin = live.takesPassword ? quoteWord(settings.password) : quotedInFile(before);
  const former: Values = values.map(([name]) => [name, name === 'requirepass' ? formerPassword(before) : (live.values[name] ?? '')]);
  return [
    ...(switched ? [appendOnlyChange(formerPort, admin)] : []),
    ...(values.length > 0
      ? [liveChange(values, former, { admin, ports: [formerPort, restarts ? formerPort : settings.port], restarts })]
      : []),
    ...(differs(facts.file, parameters) ? [fileChange(facts.file, parameters, restarts, switched)] : []),
    ...enabled(facts),
    ...(restarts ? [bringUpChange('restart', reasonOf(waits, broughtAlong), settings.port, facts.unit, formerPort)] : []),
  ];
}

/** Why it is restarted, and all that the restart brings into force: of a review it is the part that clients feel. */
function reasonOf(waits: readonly string[], broughtAlong: readonly string[]): string {
  const cause = waits.length > 0 ? `only a restart changes ${waits.join(', ')}` : 'the file was changed after it started';
  return broughtAlong.length > 0 ? `${cause}; it brings ${broughtAlong.join(', ')} into force too` : cause;
}

function enabled({ unit }: ConfigFacts): Change[] {
  return unit.enabled === 'enabled' ? [] : [enableChange(unit)];
}

function differs(file: FoundFile, parameters: Parameters): boolean {
  return file.text !== renderConf(parameters).reveal() || accessDiffers(file);
}

/** A parameter whose value in the running server is not the desired one; without a value, one that can only be left out and restarted. */
type Differing = { readonly name: string; readonly value: string | undefined };

/**
 * The parameters of the settings that the running server has otherwise. Where the file was tried, by how Redis itself spells what the file
 * says; else by what it means.
 */
function differingOf(parameters: Parameters, { values }: Answers, trial: Trial): Differing[] {
  const spelling = spellingOf(trial);
  return parameters.flatMap(([name, lines]) => {
    const { live, tried } = ruleOf(name);
    const now = values[name];
    if (live === false || now === undefined) return [];
    const exact = tried === false ? undefined : spelling[name];
    const same = exact === undefined ? means(name, lines, now) : exact === now;
    return same ? [] : [{ name, value: exact ?? countingWords(name, lines).join(' ') }];
  });
}

/** The parameters of the former file that the settings do not have: they go back to their defaults, as far as Redis told them. */
function removed(before: ReadonlyMap<string, readonly string[]>, parameters: Parameters, live: Answers, trial: Trial): Differing[] {
  const spelling = spellingOf(trial);
  const kept = new Set(parameters.map(([name]) => name));
  return [...before.keys()].flatMap((name): Differing[] => {
    const now = live.values[name];
    const rule = ruleOf(name);
    if (kept.has(name) || now === undefined || rule.live === false) return [];
    // What the trial leaves out it tells no default of.
    if (rule.tried === false) return now === '' ? [] : [{ name, value: undefined }];
    const value = spelling[name];
    return value === undefined || value === now ? [] : [{ name, value }];
  });
}

/** The lines of the file that differ and that `CONFIG GET` does not know: only a start reads them. */
function directives(before: ReadonlyMap<string, readonly string[]>, parameters: Parameters, { values }: Answers): string[] {
  const after = parseConf(renderConf(parameters).reveal());
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => values[name] === undefined && ruleOf(name).live !== false && before.get(name)?.join('\n') !== after.get(name)?.join('\n'),
  );
}

function spellingOf(trial: Trial): Readonly<Record<string, string>> {
  return trial.state === 'taken' ? spelled(trial.said) : {};
}

/** Whether the lines of a parameter mean what Redis prints. */
function means(name: string, lines: Lines, printed: string): boolean {
  const { compare = sameWords } = ruleOf(name);
  return compare(countingWords(name, lines), printed);
}

function countingWords(name: string, lines: Lines): string[] {
  return wordsOf(ruleOf(name).addsUp ? lines : lines.slice(-1));
}

function wordsOf(lines: Lines): string[] {
  return lines.map(reveal).flatMap((line) => splitWords(line) ?? [line]);
}

function lastWord(file: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const line = lastOf(file, name);
  return line === undefined ? undefined : wordsOf([line]).at(-1);
}

function formerPassword(before: ReadonlyMap<string, readonly string[]>): string {
  return lastWord(before, 'requirepass') ?? '';
}
