import type { Change } from '../engine/change.ts';
import { type Command, script, write } from '../engine/command.ts';
import { MooringError, mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { differenceOf, type FoundFiles, type ManagedFile } from './managed-file.ts';
import type { UnitState } from './systemd.ts';

/** What systemd knows of a unit, and since when it runs. */
export type FoundUnit = UnitState & {
  /** Its file has changed, and systemd has not read it since. */
  readonly needsReload: boolean;
  /** When its process was started, in seconds since 1970; nothing when it never was. */
  readonly started: number | undefined;
};

/** A unit, and the container's time when it was looked at. */
export type TimedUnit = FoundUnit & { readonly now: number };

/** What {@link unitFrom} reads, for `systemctl show --timestamp=unix --property=`. */
const UNIT_PROPERTIES = 'ActiveState,UnitFileState,NeedDaemonReload,ExecMainStartTimestamp';

/** What a unit is and since when, and the container's time. */
export function managedUnit(unit: string): Fact<TimedUnit> {
  return {
    name: `unit ${unit}`,
    command: script('read', 'date +Now=%s; exec systemctl show --timestamp=unix --property="$2" "$1"', [unit, UNIT_PROPERTIES]),
    parse(result) {
      const { stdout } = mustSucceed(result, `systemd did not report the state of ${unit}`);
      const values = new Map(stdout.split('\n').map((line) => [line.replace(/=.*/s, ''), line.replace(/^\w+=/, '')]));
      const now = Number(values.get('Now') ?? Number.NaN);
      if (!Number.isInteger(now)) throw new MooringError(`unit ${unit}: unexpected answer ${JSON.stringify(stdout)}`);
      return { ...unitFrom(unit, values), now };
    },
  };
}

/** A unit by its {@link UNIT_PROPERTIES}. @throws MooringError where one of them is missing, or is none that is known */
export function unitFrom(unit: string, values: ReadonlyMap<string, string>): FoundUnit {
  const value = (name: string, pattern: RegExp, missing?: string) => {
    const found = values.get(name) ?? missing;
    if (found === undefined || !pattern.test(found)) throw new MooringError(`unit ${unit}: unexpected ${name}: ${JSON.stringify(found)}`);
    return found;
  };
  // Empty, or n/a, for one that never ran; a timer has no process, and no line of it.
  const [, started] = /^@(\d+)$/.exec(value('ExecMainStartTimestamp', /^(@\d+|n\/a)?$/, '')) ?? [];
  return {
    active: value('ActiveState', /^\w+$/),
    enabled: value('UnitFileState', /^[\w-]*$/),
    needsReload: value('NeedDaemonReload', /^(yes|no)$/) === 'yes',
    started: started === undefined ? undefined : Number(started),
  };
}

/** Whether something was changed after the unit was started. A time in the future is a clock that was set back: nothing follows from it. */
export function isNewer(changed: number, { started = 0 }: Pick<FoundUnit, 'started'>, now: number): boolean {
  return changed > started && changed <= now;
}

/**
 * Why a unit that reads these files at its start only has to be restarted: they change now, or were changed after its start by a run that was
 * ended before the restart. Nothing where it runs with them. Mode and owner are no reason. Pure.
 */
export function unread(files: readonly ManagedFile[], found: FoundFiles, unit: TimedUnit): string | undefined {
  const different = files.filter((file) => ['missing', 'content'].includes(differenceOf(file, found[file.path] ?? null) ?? ''));
  if (different.length > 0) return 'it reads its files at its start only';
  const newer = files.filter(({ path }) => {
    const file = found[path];
    return file?.kind === 'file' && isNewer(file.changed ?? 0, unit, unit.now);
  });
  return newer.length > 0 ? `it runs since before ${newer.map(({ path }) => path).join(', ')} changed` : undefined;
}

/** A unit that must run, and come back with its container. */
export type ManagedUnit = {
  readonly unit: string;
  /** As it was found. */
  readonly state: UnitState & { readonly needsReload?: boolean };
  /** Starts or restarts it, enables it, and waits until it answers: `bringUp`. */
  readonly bring: (verb: 'start' | 'restart') => Command;
  /** What brings it up with its former files once its changes are taken back; a restart like any other when left out. */
  readonly back?: Command;
};

/**
 * What a unit needs: it is started if it does not run, restarted if there is a reason, else enabled if it is not; nothing where all is well. Pure.
 *
 * @param restartBecause a phrase, such as {@link unread} gives; nothing where no restart is due
 */
export function planUnit(managed: ManagedUnit, restartBecause?: string): Change[] {
  const { unit, state } = managed;
  const reload = state.needsReload === true ? [reloadChange(unit)] : [];
  // One that systemd starts again and again is between two tries.
  if (state.active === 'activating')
    return [
      ...reload,
      { ...bringChange(managed, 'restart', 'the service is not running'), action: 'update', before: state.active, after: 'active' },
    ];
  if (state.active !== 'active') return [...reload, bringChange(managed, 'start', 'the service is not running')];
  const because = restartBecause ?? (reload.length > 0 ? 'systemd has not read its file since it changed' : undefined);
  return because === undefined ? enableChange(unit, state) : [...reload, bringChange(managed, 'restart', because)];
}

/** The unit started, or restarted, and enabled. */
export function bringChange(
  { unit, state, bring, back = bring('restart') }: ManagedUnit,
  verb: 'start' | 'restart',
  because: string,
): Change {
  const { unmask, asItWas } = aroundEnabling(unit, state);
  return {
    resource: `unit ${unit}`,
    ...(verb === 'start' ? { action: 'update', before: state.active, after: 'active' } : { action: 'restart' }),
    impact: 'restart',
    because,
    commands: [...unmask, bring(verb)],
    undo: [],
    afterUndo: [...unmask, back, ...asItWas],
  };
}

/** The unit set to come back with its container; nothing where it does. */
export function enableChange(unit: string, state: UnitState): Change[] {
  if (state.enabled === 'enabled') return [];
  const { unmask, asItWas } = aroundEnabling(unit, state);
  return [
    {
      resource: `unit ${unit}`,
      action: 'update',
      before: state.enabled,
      after: 'enabled',
      impact: 'none',
      because: 'the service would not come back with the container',
      commands: [...unmask, write(['systemctl', 'enable', '-q', unit])],
      undo: asItWas,
    },
  ];
}

/** A change after which systemd knows what is in the file of a unit. */
export function reloadChange(unit: string): Change {
  return {
    resource: `unit ${unit}`,
    action: 'update',
    before: 'an older text of its file',
    after: 'its file',
    impact: 'none',
    because: 'systemd has not read the file since it changed',
    commands: [DAEMON_RELOAD],
    undo: [],
  };
}

/** Has systemd read the files of units again. */
export const DAEMON_RELOAD = write(['systemctl', 'daemon-reload']);

/** What a unit needs before it can be enabled, and what makes it masked or disabled again, for now or for good, as it was. */
function aroundEnabling(unit: string, { enabled }: UnitState): { unmask: Command[]; asItWas: Command[] } {
  const runtime = enabled.endsWith('-runtime') ? ['--runtime'] : [];
  const masked = enabled.startsWith('masked');
  return {
    unmask: masked ? [write(['systemctl', 'unmask', '-q', ...runtime, unit])] : [],
    asItWas: /^(masked|disabled)/.test(enabled) ? [write(['systemctl', masked ? 'mask' : 'disable', '-q', ...runtime, unit])] : [],
  };
}
