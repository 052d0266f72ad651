import { script } from '../../engine/command.ts';
import type { Fact } from '../../engine/fact.ts';
import { shellProgram } from '../../shell/program.ts';
import { CONF_PATH, desiredParameters, renderConf } from './conf.ts';
import type { RedisSettings } from './settings.ts';

/** Newer than the server's pid file: the server has to be restarted before all of redis.conf is in force. Gone with the container's start. */
export const RESTART_WANTED = '/run/nx-mooring-redis-restart';

/** What the running server says. */
export type Live =
  /** Nothing listens. */
  | { readonly state: 'down' }
  /** It takes neither the file's password nor the desired one. */
  | { readonly state: 'refused' }
  /** Something listens, and gives no answer that is known. */
  | { readonly state: 'silent' }
  | {
      readonly state: 'answers';
      /** Whether it takes the desired password. */
      readonly takesPassword: boolean;
      /** Of the parameters of the file and of the settings, those that `CONFIG GET` knows. A name that it does not know is a directive. */
      readonly values: Readonly<Record<string, string>>;
      /** Those of them that only a restart changes; asked only where the file would change. */
      readonly restartOnly: readonly string[];
      /** The highest database that has keys. -1 where none has. */
      readonly highestDatabase: number;
      /** How many keys have an end of their life. */
      readonly expiring: number;
      /** How many clients are connected, this look among them. */
      readonly clients: number;
      /** Bytes that count for `maxmemory`. */
      readonly usedMemory: number;
      /** It started before the file was last written with what only a restart brings into force. */
      readonly restartWanted: boolean;
    };

/**
 * Asks the running server, with the password of its file (which never leaves the container) and the desired one: after a
 * failed AUTH an earlier successful one still holds.
 */
export function liveServer(settings: RedisSettings): Fact<Live> {
  return {
    name: 'running server',
    command: script('read', shellProgram(import.meta.url, 'look.sh'), [CONF_PATH, RESTART_WANTED, '/run/redis/redis-server.pid'], {
      stdin: renderConf(desiredParameters(settings)),
      // On a busy machine the shell alone may take seconds.
      timeoutMs: 15_000,
    }),
    parse({ code, stdout, stderr }) {
      if (/Connection refused/.test(stderr + stdout)) return { state: 'down' };
      const lines = stdout.split('\n');
      const [settled, told] = [lines.indexOf('nx-mooring:settings'), lines.indexOf('nx-mooring:values')];
      if (told < 0 && /^NOAUTH/m.test(stdout)) return { state: 'refused' };
      if (settled < 0 || told < 0 || code !== 0) return { state: 'silent' };
      const pairs = lines.slice(settled + 1, told);
      const rest = lines.slice(told);
      const number = (name: string) => Number(rest.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1) ?? 0);
      const databases = rest.flatMap((line) => {
        const [, database, expiring] = /^db(\d+):keys=\d+,expires=(\d+)/.exec(line) ?? [];
        return database === undefined ? [] : [{ database: Number(database), expiring: Number(expiring) }];
      });
      return {
        state: 'answers',
        takesPassword: lines.slice(0, settled).findLast((line) => line !== '') === 'OK',
        values: Object.fromEntries(pairs.flatMap((name, i) => (i % 2 === 0 ? [[name, pairs[i + 1] ?? '']] : []))),
        restartOnly: rest.flatMap((line) => /argument '([^']+)'\) - can't set/.exec(line)?.[1] ?? []),
        highestDatabase: Math.max(-1, ...databases.map(({ database }) => database)),
        expiring: databases.reduce((sum, { expiring }) => sum + expiring, 0),
        clients: number('connected_clients'),
        // evict.c, getMaxmemoryState: buffers of replicas and of the append-only file do not count.
        usedMemory: number('used_memory') - number('mem_not_counted_for_evict'),
        restartWanted: lines.includes('restart-wanted'),
      };
    },
  };
}
