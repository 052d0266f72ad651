import { type Command, read, script } from '../engine/command.ts';
import { mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';

/** What systemd knows about a unit. */
export type UnitState = { readonly active: string; readonly enabled: string };

/** The unit's state; one process. @throws when systemd does not answer */
export function unitState(unit: string): Fact<UnitState> {
  return {
    name: `unit ${unit}`,
    command: read(['systemctl', 'show', '--property=ActiveState,UnitFileState', unit]),
    parse(result) {
      const { stdout } = mustSucceed(result, `systemd did not tell the state of ${unit}`);
      const [, active] = /^ActiveState=(\w+)$/m.exec(stdout) ?? [];
      const [, enabled] = /^UnitFileState=([\w-]*)$/m.exec(stdout) ?? [];
      if (active === undefined || enabled === undefined) throw new Error(`unit ${unit}: unexpected answer ${JSON.stringify(stdout)}`);
      return { active, enabled };
    },
  };
}

/**
 * Starts or restarts a unit and waits until it answers. A failure ends with the unit's last log lines on stderr:
 * they are what tells that a port is taken or a setting is refused.
 *
 * @param verb `start` also enables the unit, so that it comes back with the container
 * @param ready a probe run in the container until it succeeds; its arguments must hold no secret
 * @param seconds how long to wait for it
 */
export function bringUp(verb: 'start' | 'restart', unit: string, ready: readonly [string, ...string[]], seconds = 60): Command {
  return script(
    'write',
    `verb=$1 unit=$2 seconds=$3; shift 3
why() { echo "$unit: $1; its last log lines:" >&2; journalctl -u "$unit" -n 12 --no-pager -o cat >&2; exit 1; }
systemctl enable -q "$unit"; systemctl reset-failed "$unit" 2>/dev/null || true
systemctl "$verb" "$unit" 2>/dev/null || why "did not $verb"
until "$@" >/dev/null 2>&1; do
  [ "$seconds" -gt 0 ] || why "runs but does not answer"
  case $(systemctl is-active "$unit") in failed|inactive) why 'ended' ;; esac
  seconds=$((seconds - 1)); sleep 1
done`,
    [verb, unit, String(seconds), ...ready],
  );
}
