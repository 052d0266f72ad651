import { z } from 'zod';
import { type Command, type CommandResult, read, write } from '../../engine/command.ts';
import { InputError, MooringError, mustSucceed } from '../../engine/errors.ts';
import { parseSetName, requireSetName } from '../../snapshots/name.ts';
import { doubt, type Found, type SetMark, type Stray, type Volume } from '../../snapshots/set.ts';
import { sortableTime } from '../../snapshots/time.ts';

/**
 * Keys that are set on an instance just before it is cut. An Incus snapshot has no properties of its own, but keeps the
 * instance's `config` of that moment, and with it these keys and `volatile.uuid`. On the instance itself they mean nothing.
 */
export const SET_KEYS = {
  set: 'user.mooring.set',
  /** The snapshot that they are meant for: one that is made by hand later inherits the keys, but has another name. */
  name: 'user.mooring.set-name',
  release: 'user.mooring.set-release',
  environment: 'user.mooring.set-environment',
  tool: 'user.mooring.set-tool',
  /** Containers of the set, comma-separated. */
  members: 'user.mooring.set-members',
} as const;

const snapshotSchema = z.object({
  name: z.string(),
  created_at: z.string(),
  /** `0001-01-01T00:00:00Z` where it never expires. */
  expires_at: z.string().optional(),
  config: z.record(z.string(), z.string()),
});

const instanceSchema = z.object({
  name: z.string(),
  project: z.string(),
  config: z.record(z.string(), z.string()),
  snapshots: z.array(snapshotSchema).nullable(),
});

/** An instance with its snapshots, as `recursion=2` gives it. */
export type InstanceSnapshots = z.output<typeof instanceSchema>;

/** Reads the instances of a project with their snapshots again. */
export function instancesCommand(project: string): Command {
  return read(['incus', 'query', `/1.0/instances?recursion=2&project=${encodeURIComponent(project)}`]);
}

/** Parses the answer to {@link instancesCommand}. @throws CommandError; MooringError when it is in a form that is not known */
export function parseInstances(result: CommandResult): InstanceSnapshots[] {
  mustSucceed(result, 'Incus did not tell its snapshots');
  const parsed = z.array(instanceSchema).safeParse(JSON.parse(result.stdout));
  if (!parsed.success) throw new MooringError(`Incus answered in a form that is not known:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/**
 * Sorts the snapshots of the volumes into ours and those that only look so. `incus copy` takes snapshots along, with the
 * keys and UUID of the original: the copy has another UUID, so none of them counts there.
 *
 * @throws MooringError when an instance is not listed
 */
export function foundInIncus(instances: readonly InstanceSnapshots[], volumes: readonly Volume[], environment: string): Found {
  const members: Found['members'][number][] = [];
  const strays: Stray[] = [];
  const taken: string[] = [];
  for (const volume of volumes) {
    if (volume.kind !== 'incus') continue;
    const { instance, project } = volume;
    const found = instances.find((one) => one.name === instance && one.project === project);
    if (found === undefined) throw new MooringError(`Incus does not list ${instance} in the project ${project} any more`, { instance });
    for (const snapshot of found.snapshots ?? []) {
      taken.push(snapshot.name);
      if (parseSetName(snapshot.name) === undefined) continue;
      const judged = judge(snapshot, volume, environment);
      if ('mark' in judged) {
        const cutAt = sortableTime(snapshot.created_at);
        members.push({ mark: judged.mark, member: { kind: 'incus', instance, project, snapshot: snapshot.name, cutAt } });
      } else strays.push({ where: `${instance}/${snapshot.name}`, because: judged.because });
    }
  }
  return { members, strays, taken };
}

/**
 * The commands that cut a set, in order: first the keys of all, then the snapshots close after one another. Without
 * `--no-expiry` a `snapshots.expiry` of the instance or a profile would let Incus delete the restore point one day.
 */
export function cutInIncus(
  volumes: readonly Volume[],
  name: string,
  mark: Omit<SetMark, 'intended'>,
  members: readonly Pick<Volume, 'instance'>[],
): Command[] {
  const values = {
    set: mark.id,
    name: requireSetName(name),
    release: mark.release,
    environment: mark.environment,
    tool: mark.tool,
    members: members.map(({ instance }) => instance).join(','),
  };
  const keys = Object.entries(values).map(([key, value]) => `${SET_KEYS[key as keyof typeof SET_KEYS]}=${value}`);
  const own = volumes.filter(({ kind }) => kind === 'incus').map((volume) => ({ ...volume, instance: requireInstance(volume.instance) }));
  return [
    ...own.map(({ instance, project }) =>
      write(['incus', 'config', 'set', instance, '--project', project, '--', ...keys], { timeoutMs: 30_000 }),
    ),
    ...own.map(({ instance, project }) =>
      write(['incus', 'snapshot', 'create', instance, name, '--no-expiry', '--project', project], { timeoutMs: 120_000 }),
    ),
  ];
}

/** Deletes one snapshot. `security.protection.delete` does not stand in the way: it protects the instance (seen on 6.0.4). */
export function deleteInIncus(instance: string, project: string, name: string): Command {
  return write(['incus', 'snapshot', 'delete', requireInstance(instance), requireSetName(name), '--project', project], {
    timeoutMs: 120_000,
  });
}

/** Whether a failed {@link deleteInIncus} only says that the snapshot is not there any more. */
export function isGone(result: CommandResult): boolean {
  return /Instance_snapshot not found|Instance snapshot not found/.test(result.stderr);
}

/** Members of a set that Incus will delete by itself at some time. `--no-expiry` prevents it; this proves it. */
export function expiring(instances: readonly InstanceSnapshots[], name: string): string[] {
  return instances.flatMap(({ name: instance, snapshots }) =>
    (snapshots ?? []).some((one) => one.name === name && one.expires_at !== undefined && !one.expires_at.startsWith('0001-01-01'))
      ? [instance]
      : [],
  );
}

function judge(
  snapshot: z.output<typeof snapshotSchema>,
  volume: Volume,
  environment: string,
): { readonly mark: SetMark } | { readonly because: string } {
  const value = (key: keyof typeof SET_KEYS) => snapshot.config[SET_KEYS[key]];
  const absent = (Object.keys(SET_KEYS) as (keyof typeof SET_KEYS)[]).find((key) => value(key) === undefined);
  if (absent !== undefined) return { because: `it has no mark ${SET_KEYS[absent]}` };
  if (value('name') !== snapshot.name)
    return { because: `its marks are meant for ${value('name')}: it was made by hand later, or renamed` };
  const mark: SetMark = {
    id: value('set') ?? '',
    release: value('release') ?? '',
    environment: value('environment') ?? '',
    tool: value('tool') ?? '',
    intended: (value('members') ?? '').split(','),
  };
  const because = doubt(snapshot.name, mark, snapshot.config['volatile.uuid'], volume, environment);
  return because === undefined ? { mark } : { because };
}

/** `remote:name` would go to another server, a first hyphen is an option. */
function requireInstance(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name)) throw new InputError(`'${name}' is not the name of an Incus instance`);
  return name;
}
