import { type Command, read, script } from '../engine/command.ts';
import { mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { shellProgram } from '../shell/program.ts';

/** What systemd knows about a unit. */
export type UnitState = { readonly active: string; readonly enabled: string };

/** The unit's state; one process. @throws when systemd does not answer */
export function unitState(unit: string): Fact<UnitState> {
  return {
    name: `unit ${unit}`,
    command: read(['systemctl', 'show', '--property=ActiveState,UnitFileState', unit]),
    parse(result) {
      const { stdout } = mustSucceed(result, `systemd did not report the state of ${unit}`);
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
  return script('write', shellProgram(import.meta.url, 'bring-up.sh'), [verb, unit, String(seconds), log.path, log.pick, ...ready]);
}
