import type { FoundFile } from '../../engine/command.ts';
import { InputError, SafetyError } from '../../engine/errors.ts';
import type { UnitState } from '../systemd.ts';
import { SKIP_TRIAL, type Trial } from '../trial.ts';
import { sizeOf } from './compare.ts';
import { lastOf, type Parameters, parseConf } from './conf.ts';
import { type Answers, means, spellingOf, wordsOf } from './differences.ts';
import type { Live } from './live.ts';
import { ruleOf } from './parameters.ts';
import { OWN_CONNECTIONS, type RedisSettings } from './settings.ts';

export type ConfigFacts = {
  readonly file: FoundFile;
  readonly unit: UnitState;
  readonly live: Live;
  readonly trial: Trial;
};

/** Of Redis, where the settings do not say it. */
const DATABASES = 16;

/** What {@link planConfig} works on. */
export type Look = { readonly facts: ConfigFacts; readonly settings: RedisSettings; readonly parameters: Parameters };

/** What Redis makes something else of would differ in every run: `maxclients` beyond the open files that its unit may have. */
export function refuseOtherMeaning({ facts: { trial }, parameters }: Look): void {
  const spelling = spellingOf(trial);
  for (const [name, lines] of parameters) {
    const { tried, secret } = ruleOf(name);
    const made = tried === false || secret ? undefined : spelling[name];
    if (made === undefined || means(name, lines, made)) continue;
    throw new InputError(`redis makes "${made}" of ${name} ${lines.map(String).join('; ')}`, {
      next: `set ${name} to a value that it takes as it is; nothing was changed`,
    });
  }
}

/** A server that starts with another folder or file is empty, and everything else looks well. */
export function refuseOtherData({ facts: { file, live }, parameters }: Look): void {
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
export function refuseFewerDatabases({ facts: { file, live }, parameters }: Look): void {
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
export function refuseFewerClients({ facts: { live }, parameters }: Look): void {
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

/**
 * A server that is beyond its limit, and has nothing that it may evict, refuses every write (evict.c, performEvictions). One that is beyond the
 * limit that it has now is not made worse by the same limit or a better one. What a restart frees nobody knows: --skip-trial is the way past.
 */
export function refuseLessMemory({ facts: { live, trial }, settings: { maxmemory, maxmemoryPolicy } }: Look): void {
  if (live.state !== 'answers' || (trial.state === 'untried' && trial.bySkipTrial)) return;
  const { usedMemory, values } = live;
  const beyond = (limit: number, policy: string) => limit > 0 && usedMemory > limit && !mayEvict(policy, live);
  const limit = Number(sizeOf(maxmemory));
  if (!beyond(limit, maxmemoryPolicy)) return;
  const now = Number(values.maxmemory ?? 0);
  if (beyond(now, values['maxmemory-policy'] ?? '') && limit >= now) return;
  throw new InputError(
    `redis uses ${usedMemory} bytes of memory and would take no writes: maxmemory ${maxmemory} (${limit} bytes) is less, and ${maxmemoryPolicy} evicts nothing of it`,
    { next: `set "maxmemory" to ${megabytesFor(usedMemory)}mb or more; if a restart frees enough of it: ${SKIP_TRIAL}` },
  );
}

/** Whether the policy finds a key that it may evict. */
function mayEvict(policy: string, { expiring }: Answers): boolean {
  return policy.startsWith('allkeys-') || (policy.startsWith('volatile-') && expiring > 0);
}

/** Room for a quarter more, so that the next writes are taken too. */
function megabytesFor(bytes: number): number {
  return Math.ceil((bytes * 1.25) / 2 ** 20);
}

export function lastWord(file: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  const line = lastOf(file, name);
  return line === undefined ? undefined : wordsOf([line]).at(-1);
}
