import { type Command, script } from '../../engine/command.ts';
import { joinSecret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { shellProgram } from '../../shell/program.ts';
import { CONF_PATH, quoteWord } from './conf.ts';
import type { RedisSettings } from './settings.ts';
import { say } from './words.ts';

/**
 * Waits until Redis holds no acknowledged write back. It writes the append-only file before it answers a client, and a snapshot has
 * what was written, on the disk or not; only while an fsync of `appendfsync everysec` is under way does it put the write off, for up
 * to 2 s (redis.conf, `no-appendfsync-on-rewrite`; INFO, `aof_pending_bio_fsync`, `aof_delayed_fsync`). That it has an append-only
 * file, and could write it, is checked too: else the snapshot would lack what clients were told is safe.
 *
 * WAITAOF is no help: it waits for the writes of its own connection only. A stopped Redis has nothing in memory. It is asked where
 * its file says that it listens, with the file's password before the desired one: this is before a new one is set, and an AUTH that
 * failed does not undo one that did not.
 */
export function settleAppendOnlyFile({ settings }: Desired<RedisSettings>): Command {
  return script('write', shellProgram(import.meta.url, 'quiesce.sh'), [CONF_PATH, String(settings.port)], {
    stdin: joinSecret([say('AUTH', quoteWord(settings.password)), '\n', say('INFO', 'persistence'), '\n']),
  });
}
