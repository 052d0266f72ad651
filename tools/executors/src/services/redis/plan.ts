import type { Change } from '../../engine/change.ts';
import { CommandError, SafetyError } from '../../engine/errors.ts';
import type { Desired } from '../../engine/service.ts';
import { refuseTakenPorts } from '../listeners.ts';
import { enableChange } from '../managed-unit.ts';
import { judged } from '../trial.ts';
import { appendOnlyChange, bringUpChange, fileChange, liveChange, quotedInFile, switchLive, UNIT, type Values } from './changes.ts';
import { CONF_PATH, desiredParameters, parseConf, quoteWord } from './conf.ts';
import { type Answers, differingOf, directives, removed } from './differences.ts';
import type { Live } from './live.ts';
import { wantedPorts } from './ports.ts';
import {
  type ConfigFacts,
  type Look,
  lastWord,
  refuseFewerClients,
  refuseFewerDatabases,
  refuseLessMemory,
  refuseOtherData,
  refuseOtherMeaning,
} from './refusals.ts';
import type { RedisSettings } from './settings.ts';

export function planConfig(facts: ConfigFacts, { settings }: Desired<RedisSettings>): Change[] {
  const { trial, live } = facts;
  const look = { facts, settings, parameters: desiredParameters(settings) };
  const warnings = judged(trial, 'redis');
  refuseTakenPorts(trial.listeners, wantedPorts(settings), UNIT);
  refuseOtherMeaning(look);
  refuseOtherData(look);
  refuseFewerDatabases(look);
  const changes =
    facts.unit.active !== 'active' ? stopped(look) : live.state === 'answers' ? running(look, live) : unreachable(look, live.state);
  if (changes.length > 0) {
    refuseFewerClients(look);
    refuseLessMemory(look);
  }
  return changes.map((change) => (warnings.length > 0 && change.resource === `file ${CONF_PATH}` ? { ...change, warnings } : change));
}

function stopped({ facts, settings, parameters }: Look): Change[] {
  const before = parseConf(facts.file.text);
  const start = bringUpChange('start', 'the service is not running', settings.port, facts.unit);
  const written = fileChange(facts.file, parameters, false);
  const [write] = written;
  // Started with `appendonly yes`, Redis reads the append-only file and forgets what only the RDB file has (redis#12484):
  // so it is started as it last ran, and switched over live.
  if (write === undefined || lastWord(before, 'appendonly') === 'yes') return [...written, start];
  const asBefore = parameters.map(([name, lines]) => [name, name === 'appendonly' ? ['no'] : lines] as const);
  const { undo: _, ...switched } = write;
  return [
    ...fileChange(facts.file, asBefore, false).map((change) => ({
      ...change,
      because: 'it is started without the append-only file first, so that the RDB data is read',
    })),
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
    ...fileChange(facts.file, parameters, true),
    ...enableChange(UNIT, facts.unit),
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
    ...fileChange(facts.file, parameters, restarts, switched),
    ...enableChange(UNIT, facts.unit),
    ...(restarts ? [bringUpChange('restart', reasonOf(waits, broughtAlong), settings.port, facts.unit, formerPort)] : []),
  ];
}

/** Why it is restarted, and all that the restart brings into force: of a review it is the part that clients feel. */
function reasonOf(waits: readonly string[], broughtAlong: readonly string[]): string {
  const cause = waits.length > 0 ? `only a restart changes ${waits.join(', ')}` : 'the file was changed after it started';
  return broughtAlong.length > 0 ? `${cause}; it brings ${broughtAlong.join(', ')} into force too` : cause;
}

function formerPassword(before: ReadonlyMap<string, readonly string[]>): string {
  return lastWord(before, 'requirepass') ?? '';
}
