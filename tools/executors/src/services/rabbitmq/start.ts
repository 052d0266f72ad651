import { type Command, script } from '../../engine/command.ts';
import { bringUp } from '../systemd.ts';
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

/**
 * Starts or restarts the node and has it come back with the container. The unit is of type notify: systemd waits until the node
 * has booted, for its TimeoutStartSec of 10 minutes at most. Where systemd is about to try again by itself, its pause is cut short:
 * systemd 252 would keep us waiting for it.
 */
export function startNode(verb: 'start' | 'restart'): Command {
  const ready = ['sh', '-c', '[ "$("$@" 2>/dev/null)" = true ]', 'sh', ...ERL_CALL, '-a', 'rabbit is_running []'] as const;
  const { argv, effect } = bringUp(verb, UNIT, ready, 20, { path: paths.output, pick: `${PICK}pick` });
  return script(
    effect,
    `unit=$1; shift
[ "$(systemctl show --property=SubState --value "$unit")" != auto-restart ] || systemctl stop "$unit"
exec "$@"`,
    [UNIT, ...argv],
    { timeoutMs: 12 * 60_000 },
  );
}
