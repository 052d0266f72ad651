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

/** Where a product says why it ends, if it is not the journal alone, and what of it counts. */
export type OwnLog = {
  readonly path: string;
  /** POSIX shell text of a filter: what is of use among all that was written since the unit was started. Nothing found: all of it. */
  readonly pick: string;
};

/** Of systemd's journal fields (`systemd.journal-fields(7)`, sd-messages.h): the message that a start begins. */
const UNIT_STARTING = '7d4958e842da4a758f6c1cdc7b36dcc5';

/**
 * Exit code of a probe for {@link bringUp} whose service runs, and will not answer however long it is waited for (EX_UNAVAILABLE of
 * sysexits.h). Why is on its stderr.
 */
export const IN_VAIN = 69;

/**
 * Starts or restarts a unit and waits until it answers. A failure ends with the reason on stderr: what the product said last of this start, for
 * that is what tells of a port that is taken or a setting that is refused; then what systemd makes of it.
 *
 * @param verb `start` also enables the unit, so that it comes back with the container
 * @param ready a probe run in the container until it succeeds; its arguments must hold no secret
 * @param seconds how long to wait for it
 * @param log for a product that writes its reasons elsewhere than into the journal
 */
export function bringUp(
  verb: 'start' | 'restart',
  unit: string,
  ready: readonly [string, ...string[]],
  seconds = 60,
  log: OwnLog = { path: '', pick: 'cat' },
): Command {
  return script(
    'write',
    `verb=$1 unit=$2 seconds=$3 log=$4 pick=$5; shift 5
from=0; if [ -e "$log" ]; then from=$(wc -c <"$log"); fi
since=@$(date +%s.%6N)
journal() { journalctl -q --no-pager --since="$since" "$@"; }
logged() { if [ -e "$log" ]; then tail -c "+$((from + 1))" "$log"; fi; }
printed() { journal -o cat _SYSTEMD_UNIT="$name" \${run:+"_SYSTEMD_INVOCATION_ID=$run"}; }
picked() { sh -c "$pick" || true; }
why() {
  journalctl --sync || true
  name=$(systemctl show --property=Id --value "$unit")
  run=$(journal -o export UNIT="$name" MESSAGE_ID=${UNIT_STARTING} | sed -n 's/^INVOCATION_ID=//p' | head -n 1)
  said=$(logged | picked)
  [ -n "$said" ] || said=$(printed | picked)
  [ -n "$said" ] || said=$(logged; printed)
  [ -z "$said" ] || printf '%s\\n' "$said" | tail -n 5 | cut -c 1-500 >&2
  end=$(journal -o cat _PID=1 UNIT="$name" \${run:+"INVOCATION_ID=$run"} | grep -F "$name: " | grep -e ' exited, ' -e 'killed by' -e 'timed out' -e 'Failed with' | sed 's/^[^ ]*: //' | head -n 1)
  echo "$unit: $1\${end:+ ($end)}" >&2; exit 1
}
systemctl enable -q "$unit"; systemctl reset-failed "$unit" 2>/dev/null || true
systemctl "$verb" "$unit" 2>/dev/null || why "did not $verb"
until told=$("$@" 2>&1 >/dev/null); do
  [ "$?" -ne ${IN_VAIN} ] || why "runs, but $(printf '%s\\n' "$told" | tail -n 1)"
  [ "$seconds" -gt 0 ] || why 'runs, but does not answer'
  case $(systemctl is-active "$unit") in failed|inactive) why 'ended' ;; esac
  seconds=$((seconds - 1)); sleep 1
done`,
    [verb, unit, String(seconds), log.path, log.pick, ...ready],
  );
}
