import { type Command, script } from '../../engine/command.ts';
import { joinSecret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
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
  return script(
    'write',
    `conf=$1 ask=$(cat)
of() { sed -n "s/^$1 //p" "$conf" 2>/dev/null | tail -n 1; }
port=$(of port); own=$(of requirepass)
while :; do
  info=$(printf '%s\\n' \${own:+"${say('AUTH', '$own')}"} "$ask" | redis-cli -p "\${port:-$2}" 2>&1 | tr -d '\\r')
  case $info in
    *'Connection refused'*) echo 'no server runs, so there is nothing to write out'; exit 0 ;;
    *aof_enabled:1*) ;;
    *aof_enabled:0*) echo 'there is no append-only file: the snapshot has what the last dump had' >&2; exit 1 ;;
    *) echo "redis did not tell of its append-only file: $(printf '%s\\n' "$info" | tail -n 1 | cut -c 1-200)" >&2; exit 1 ;;
  esac
  case $info in *aof_last_write_status:ok*) ;; *) echo 'the append-only file could not be written' >&2; exit 1 ;; esac
  case $info in *aof_pending_bio_fsync:0*) exit 0 ;; esac
  sleep 0.05
done`,
    [CONF_PATH, String(settings.port)],
    { stdin: joinSecret([say('AUTH', quoteWord(settings.password)), '\n', say('INFO', 'persistence'), '\n']) },
  );
}
