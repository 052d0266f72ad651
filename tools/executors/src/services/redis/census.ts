import { read } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Census, Desired } from '../../engine/service.ts';
import { quoteWord } from './conf.ts';
import type { RedisSettings } from './settings.ts';
import { conversation, say } from './words.ts';

/** Keys of every database, as `INFO keyspace` lists those that have some. */
export function census({ settings }: Desired<RedisSettings>): Fact<Census> {
  return {
    name: 'keys of all databases',
    command: read(['redis-cli', '-p', String(settings.port)], {
      stdin: conversation(say('AUTH', quoteWord(settings.password)), say('INFO', 'keyspace'), say('QUIT')),
      timeoutMs: 10_000,
    }),
    parse({ stdout, stderr }) {
      const lines = stdout.split('\n').map((line) => line.trim());
      const head = lines.indexOf('# Keyspace');
      if (head < 0) {
        const said = [...lines, ...stderr.split('\n')].find((line) => /ERR|WRONGPASS|NOAUTH|LOADING|Could not connect/.test(line));
        throw new MooringError(`redis does not report its keys: ${said ?? 'no answer'}`);
      }
      const entries = lines
        .slice(head + 1)
        .filter((line) => line !== '' && line !== 'OK')
        .map((line) => {
          const [, name, count] = /^(db\d+):keys=(\d+),/.exec(line) ?? [];
          if (name === undefined) throw new MooringError(`redis gave a line about its keys that is not known: ${line}`);
          return { kind: 'database', name, count: Number(count), of: 'keys' };
        });
      return { entries, proves: 'the append-only file was loaded' };
    },
  };
}
