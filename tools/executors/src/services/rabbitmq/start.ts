import { type Command, script } from '../../engine/command.ts';
import { shellProgram } from '../../shell/program.ts';
import { bringUp } from '../systemd.ts';
import { ERL_CALL } from './erlang.ts';
import { paths, UNIT } from './files.ts';

/** The shell function `pick`, which finds the reason in what a node that does not start prints. */
export function pick(): string {
  return shellProgram(import.meta.url, 'pick.sh');
}

/**
 * Starts or restarts the node and has it come back with the container. The unit is of type notify: systemd waits until the node
 * has booted, for its TimeoutStartSec of 10 minutes at most. Where systemd is about to try again by itself, its pause is cut short:
 * systemd 252 would keep us waiting for it.
 */
export function startNode(verb: 'start' | 'restart'): Command {
  const ready = ['sh', '-c', '[ "$("$@" 2>/dev/null)" = true ]', 'sh', ...ERL_CALL, '-a', 'rabbit is_running []'] as const;
  const { argv, effect } = bringUp(verb, UNIT, ready, 20, { path: paths.output, pick: `${pick()}\npick` });
  return script(
    effect,
    `unit=$1; shift
[ "$(systemctl show --property=SubState --value "$unit")" != auto-restart ] || systemctl stop "$unit"
exec "$@"`,
    [UNIT, ...argv],
    { timeoutMs: 12 * 60_000 },
  );
}
