import { type Command, script, write } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import type { Instance } from '../../engine/instance.ts';
import type { DrillInstances, LeftDrill } from '../../engine/instance-platform.ts';
import { shellProgram } from '../../shell/program.ts';
import type { DrillSpec } from '../../snapshots/drill.ts';
import { incus } from './command.ts';
import { mark } from './marks.ts';
import { SET_KEYS } from './set-marks.ts';
import { waitInside } from './start.ts';

/**
 * Keys by which a throw-away instance is known. It has none of the keys of a data container: no other verb takes it for one. The
 * name is among them, so that a copy or a renamed one, which somebody wants to keep, is not known as ours any more.
 */
const DRILL_KEYS = {
  /** The instance that it is a copy of. */
  of: 'user.mooring.drill',
  name: 'user.mooring.drill-name',
  environment: 'user.mooring.drill-environment',
  run: 'user.mooring.drill-run',
  snapshot: 'user.mooring.drill-snapshot',
  /** Set when it is left for study (`--keep`): no later drill takes it away. */
  kept: 'user.mooring.drill-kept',
} as const;

/** Incus takes host names: 63 characters at most. */
const NAME_MAX = 63;

/** `drill-<instance>-<6 hex digits>`, the middle cut where the whole would be too long. */
function drillName(instance: string, random: Uint8Array): string {
  const ending = Buffer.from(random).toString('hex').slice(0, 6);
  if (ending.length !== 6) throw new RangeError('a drill needs 3 random bytes');
  const middle = instance.slice(0, NAME_MAX - 'drill--'.length - ending.length).replace(/-+$/, '');
  return `drill-${middle}-${ending}`;
}

/** The throw-away instances of a container that are there. A key counts only where it is set on the instance itself. */
function drillsOf(instances: readonly Instance[], environment: string, instance: string): LeftDrill[] {
  return instances
    .filter(
      ({ name, config }) =>
        config[DRILL_KEYS.of] === instance &&
        config[DRILL_KEYS.name] === name &&
        config[DRILL_KEYS.environment] === environment &&
        config[mark.environment] === undefined,
    )
    .map(({ name, config }) => ({
      name,
      run: config[DRILL_KEYS.run] ?? '',
      snapshot: config[DRILL_KEYS.snapshot] ?? '',
      kept: config[DRILL_KEYS.kept] === 'true',
    }));
}

/** The devices of the live instance that the copy does without: all but the root disk, those of its profiles too. */
function deviceNamesLeftOut(live: Instance): string[] {
  return Object.entries(live.expanded_devices)
    .filter(([, { type, path }]) => !(type === 'disk' && path === '/') && type !== 'none')
    .map(([name]) => name);
}

/** A copy of an Incus snapshot, stopped. Incus leaves out what is given an empty value. */
export function copySnapshot(spec: DrillSpec): Command {
  const ours = [...Object.values(mark), ...Object.values(SET_KEYS)].map((key) => [key, ''] as const);
  return write(
    incus(
      'copy',
      `${requireName(spec.live.name)}/${spec.snapshot}`,
      requireDrillName(spec.name),
      '--project',
      spec.project,
      ...[...ours, ...Object.entries(keysOf(spec))].flatMap(([key, value]) => ['--config', `${key}=${value}`]),
      ...deviceNamesLeftOut(spec.live).flatMap((name) => ['--device', `${name},type=none`]),
    ),
    { timeoutMs: 600_000 },
  );
}

/**
 * An empty instance like the live one, whose data set is then replaced by a clone: Incus cannot copy from a snapshot that it did not
 * make. What Incus remembers of the user id map goes along, or it would shift the owners of files that are as they should be.
 * The configuration travels on stdin, where incus reads YAML: `environment.*` may hold what must not be an argument.
 */
export function createEmpty(spec: DrillSpec, pool: string): Command {
  const { live } = spec;
  const copied = Object.entries(live.config).filter(([key]) =>
    /^(limits|security|raw|linux|environment)\.|^volatile\.(idmap\.|last_state\.idmap$)/.test(key),
  );
  const root = Object.entries(live.devices).filter(([, { type, path }]) => type === 'disk' && path === '/');
  const without = deviceNamesLeftOut(live).map((name) => [name, { type: 'none' }] as const);
  const profiles = live.profiles ?? [];
  return write(
    incus(
      'create',
      '--empty',
      requireDrillName(spec.name),
      '--project',
      spec.project,
      '--storage',
      pool,
      ...(profiles.length === 0 ? ['--no-profiles'] : profiles.flatMap((profile) => ['--profile', profile])),
    ),
    {
      stdin: JSON.stringify({
        config: { ...Object.fromEntries(copied), ...keysOf(spec) },
        devices: Object.fromEntries([...root, ...without]),
      }),
      timeoutMs: 120_000,
    },
  );
}

/** Starts it. */
function startDrill(name: string, project: string): Command {
  return write(incus('start', requireDrillName(name), '--project', project), { timeoutMs: 300_000 });
}

/** Waits until systemd answers in it: what was put under /run before that is gone, as systemd then mounts it anew. */
export function waitForSystemd(name: string, project: string, seconds: number): Command {
  return waitInside(
    { instance: requireDrillName(name), project },
    seconds,
    `state=$(timeout 20 systemctl is-system-running 2>/dev/null) || true
case $state in starting|running|degraded) exit 0 ;; esac
said="systemd says '\${state:-nothing}'"`,
  );
}

/**
 * Names of a service's units, asked in the instance, that have failed. Without a network, a wait for it to be online would hold up what is started after it
 * (systemd-networkd-wait-online: two minutes): nothing comes, so it is ended.
 */
export function failedUnits(unit: string): Command {
  return script(
    'write',
    `systemctl stop --no-block systemd-networkd-wait-online.service NetworkManager-wait-online.service 2>/dev/null || true
systemctl list-units --all --plain --no-legend --no-pager --state=failed -- "$1" | cut -d ' ' -f 1`,
    [unit],
    { timeoutMs: 30_000 },
  );
}

/** Stops it as the live one would be stopped. */
function stopDrill(name: string, project: string, seconds: number): Command {
  return write(incus('stop', requireDrillName(name), '--project', project, '--timeout', String(seconds)), {
    timeoutMs: (seconds + 30) * 1000,
  });
}

/**
 * Deletes a throw-away instance, if it is there and still the one that this run made. A clone on ZFS goes only if it is the one of
 * this very drill and has no snapshots: with them (a `zfs promote` moves those of the live data set to it) `incus delete` would
 * destroy what others rely on.
 *
 * @param dataset of the instance; nothing where Incus itself made the copy
 */
export function removeDrill({ name, run }: Pick<LeftDrill, 'name' | 'run'>, project: string, dataset: string | undefined): Command {
  return script('write', shellProgram(import.meta.url, 'remove-drill.sh'), [requireDrillName(name), project, run, dataset ?? ''], {
    timeoutMs: 300_000,
  });
}

function keysOf(spec: DrillSpec): Record<string, string> {
  return {
    [DRILL_KEYS.of]: spec.live.name,
    [DRILL_KEYS.name]: spec.name,
    [DRILL_KEYS.environment]: spec.environment,
    [DRILL_KEYS.run]: spec.run,
    [DRILL_KEYS.snapshot]: spec.snapshot,
    ...(spec.keep ? { [DRILL_KEYS.kept]: 'true' } : {}),
    'boot.autostart': 'false',
    'security.protection.delete': 'false',
  };
}

function requireName(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name)) throw new InputError(`'${name}' is not the name of an Incus instance`);
  return name;
}

/** The last gate before a command that makes, stops or deletes an instance. @throws InputError */
function requireDrillName(name: string): string {
  if (!/^drill-[A-Za-z0-9-]+-[0-9a-f]{6}$/.test(name) || name.length > NAME_MAX)
    throw new InputError(`'${name}' is not the name of a throw-away instance`);
  return name;
}

/** What the verb needs of throw-away instances. */
export const incusDrills: DrillInstances = {
  nameOf: drillName,
  of: drillsOf,
  leftOut: deviceNamesLeftOut,
  start: startDrill,
  waitUntilUp: waitForSystemd,
  failedUnits,
  stop: stopDrill,
};
