import { type Command, script } from '../../engine/command.ts';
import { ERL_CALL } from './erlang.ts';
import { paths, UNIT } from './files.ts';

/** Shell function that picks the reason out of what a node that does not start prints: a hundred lines of Erlang terms, one of them of use. */
export const PICK = `pick() {
  sed -n \\
    -e 's/^.*\\[error\\] <[0-9.]*> *\\(Error preparing.*\\|- .*\\|Error during startup.*\\)/\\1/p' \\
    -e 's/^.*could_not_start_listener,"[^"]*",\\([0-9]*\\),.*{listen_error,{acceptor,{[0-9a-f,]*},[0-9]*},\\([a-z_]*\\)}.*/port \\1: \\2/p;t' \\
    -e 's/^ *Starting broker\\.\\.\\.\\({.*\\)/\\1/p' \\
    -e '/^Exception during startup:$/{n;n;p}' | uniq | tail -n 4 | cut -c 1-500
}
`;

const REASON = `${PICK}reason() {
  said=$(tail -c "+$(($2 + 1))" "$1" 2>/dev/null) || said=
  [ -n "$said" ] || said=$(journalctl -u "$unit" -n 4 --no-pager -o cat)
  found=$(printf '%s\\n' "$said" | pick)
  printf '%s\\n' "\${found:-$said}" | tail -n 4 | cut -c 1-500 >&2
}
size() { if [ -e "$1" ]; then wc -c <"$1"; else echo 0; fi; }
`;

/**
 * Starts or restarts the node and has it come back with the container. The unit is of type notify: systemd waits until the node
 * has booted, for its TimeoutStartSec of 10 minutes at most. A failure ends with the reason on stderr. Where systemd is about to try
 * again by itself, its pause is cut short: systemd 252 would keep us waiting for it.
 */
export function startNode(verb: 'start' | 'restart'): Command {
  return script(
    'write',
    `${REASON}verb=$1 unit=$2 log=$3; shift 3
from=$(size "$log")
why() { echo "$unit: $1; its last log lines:" >&2; reason "$log" "$from"; exit 1; }
systemctl enable --quiet "$unit"; systemctl reset-failed "$unit" 2>/dev/null || true
[ "$(systemctl show --property=SubState --value "$unit")" != auto-restart ] || systemctl stop "$unit"
systemctl "$verb" "$unit" 2>/dev/null || why "did not $verb"
tries=40
until [ "$("$@" 2>/dev/null)" = true ]; do
  [ "$tries" -gt 0 ] || why 'runs, but does not say that RabbitMQ runs in it'
  tries=$((tries - 1)); sleep 0.5
done`,
    [verb, UNIT, paths.output, ...ERL_CALL, '-a', 'rabbit is_running []'],
    { timeoutMs: 12 * 60_000 },
  );
}
