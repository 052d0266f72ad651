import { joinSecret, reveal, Secret } from '../../engine/secret.ts';
import type { RedisSettings } from './settings.ts';

export const CONF_PATH = '/etc/redis/redis.conf';

/** redis.conf as parameters in order. */
export type Parameters = readonly (readonly [name: string, value: string | Secret])[];

/** What redis.conf has to say. Debian's unit adds `--supervised systemd --daemonize no` itself. */
export function desiredParameters(settings: RedisSettings): Parameters {
  return [
    ['bind', '* -::*'],
    ['port', String(settings.port)],
    ['protected-mode', 'yes'],
    ['requirepass', settings.password],
    ['dir', '/var/lib/redis'],
    ['pidfile', '/run/redis/redis-server.pid'],
    // Empty is stdout: the journal, where a failure to start is looked for.
    ['logfile', ''],
    ['appendonly', 'yes'],
    ['maxmemory', bytes(settings.maxmemory)],
    ['maxmemory-policy', settings.maxmemoryPolicy],
    ...Object.entries(settings.parameters),
  ];
}

/** redis.conf's text. Multi-word values stay words, as `bind` and `save` take several; the password is one quoted word. */
export function renderConf(parameters: Parameters): Secret {
  return joinSecret([
    '# Written by nx-mooring: changes made here are undone by the next configure.\n',
    ...parameters.flatMap(([name, value]) => [`${name} `, value instanceof Secret ? quoteWord(value) : value || '""', '\n']),
  ]);
}

/** Parameters of a redis.conf text: the last line of a name wins, as in Redis; comments and blank lines are dropped. */
export function parseConf(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => /^\s*([a-z][a-z0-9-]*)\s+(.*?)\s*$/i.exec(line));
  return new Map(lines.flatMap((line) => (line ? [[String(line[1]).toLowerCase(), String(line[2])]] : [])));
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

function bytes(size: string): string {
  const [, count = '', unit = ''] = /^(\d+)(kb|mb|gb)$/.exec(size) ?? [];
  return String(Number(count) * { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }[unit as 'kb' | 'mb' | 'gb']);
}
