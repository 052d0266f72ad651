import { joinSecret, reveal, Secret } from '../../engine/secret.ts';
import { HEADER, type ManagedFile } from '../managed-file.ts';
import { OWN, ruleOf } from './parameters.ts';
import type { RedisSettings } from './settings.ts';

export const CONF_PATH = '/etc/redis/redis.conf';

/** redis.conf as parameters in order, each with its lines. */
export type Parameters = readonly (readonly [name: string, lines: readonly (string | Secret)[]])[];

/** What redis.conf has to say. Debian's unit adds `--supervised systemd --daemonize no` itself. */
export function desiredParameters(settings: RedisSettings): Parameters {
  return [
    ...OWN.map((name) => [name, [ruleOf(name).from?.(settings) ?? '']] as const),
    ...Object.entries(settings.parameters).map(([name, value]) => [name, [value].flat()] as const),
  ];
}

/** redis.conf's text. Multi-word values stay words, as `bind` and `save` take several; the password is one quoted word. */
export function renderConf(parameters: Parameters): Secret {
  return joinSecret([
    HEADER,
    ...parameters.flatMap(([name, lines]) =>
      lines.flatMap((line) => [`${name} `, line instanceof Secret ? quoteWord(line) : line || '""', '\n']),
    ),
  ]);
}

/** redis.conf as it must be. The password is in it: it is for Redis alone. */
export function confFile(parameters: Parameters): ManagedFile {
  return { kind: 'file', path: CONF_PATH, content: renderConf(parameters), mode: '640', owner: 'redis:redis' };
}

/** The lines of each parameter of a redis.conf text, as they stand there; comments and blank lines are dropped. */
export function parseConf(text: string): Map<string, readonly string[]> {
  const parameters = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*([a-z][a-z0-9_.-]*)\s+(.*?)\s*$/i.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    parameters.set(key, [...(parameters.get(key) ?? []), value]);
  }
  return parameters;
}

/** The line that counts of a parameter that has one value: the last, as for Redis. */
export function lastOf(parameters: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  return parameters.get(name)?.at(-1);
}

/**
 * A word that Redis reads back as the same bytes, in redis.conf and on redis-cli's stdin alike (both split with
 * `sdssplitargs`, which knows `\xHH` inside double quotes).
 */
export function quoteWord(value: string | Secret): Secret {
  const escaped = [...Buffer.from(reveal(value))].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
  );
  return new Secret(`"${escaped.join('')}"`);
}
