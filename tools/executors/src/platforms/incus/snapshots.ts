import { z } from 'zod';
import { type Command, type CommandResult, read, write } from '../../engine/command.ts';
import { InputError, MooringError, mustSucceed } from '../../engine/errors.ts';
import type { InstanceSnapshots } from '../../engine/instance.ts';
import type { Cut } from '../../snapshots/backend.ts';
import { parseSetName, requireSetName } from '../../snapshots/name.ts';
import { type Found, markNames, memberName, type SetMember, type Stray, type Volume } from '../../snapshots/set.ts';
import { sortableTime } from '../../snapshots/time.ts';
import { parseAnswer, unreadableSchema } from './answer.ts';
import { incus } from './command.ts';
import { expiry, judge, OWN, SET_KEYS } from './set-marks.ts';
import { cutVolume, deleteVolumeSnapshot, markVolume } from './volumes.ts';

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

const listSchema = z
  .array(z.union([instanceSchema.transform((one) => [one]), unreadableSchema.transform(() => [])]))
  .transform((all) => all.flat());

/** Reads the instances of a project with their snapshots again. */
export function instancesCommand(project: string): Command {
  return read(incus('query', `/1.0/instances?recursion=2&project=${encodeURIComponent(project)}`));
}

/** Parses the answer to {@link instancesCommand}. @throws CommandError; MooringError when it is in a form that is not known */
export function parseInstances(result: CommandResult): InstanceSnapshots[] {
  mustSucceed(result, 'Incus did not report its snapshots');
  return parseAnswer('its snapshots', result.stdout, listSchema);
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
    if (volume.volume !== undefined) continue;
    const { instance, project, pool } = volume;
    const found = instances.find((one) => one.name === instance && one.project === project);
    if (found === undefined) throw new MooringError(`Incus does not list ${instance} in the project ${project} any more`, { instance });
    for (const snapshot of found.snapshots ?? []) {
      taken.push(snapshot.name);
      if (parseSetName(snapshot.name) === undefined) continue;
      const judged = judge(snapshot, snapshot.config['volatile.uuid'], volume, environment);
      if ('mark' in judged) {
        const cutAt = sortableTime(snapshot.created_at);
        const member = { ...OWN, instance, project, pool, snapshot: snapshot.name, cutAt, ...expiry(snapshot.expires_at) };
        members.push({ mark: judged.mark, member });
      } else strays.push({ where: `${instance}/${snapshot.name}`, because: judged.because });
    }
  }
  return { members, strays, taken };
}

/**
 * The commands that cut a set, in order: first the keys of all, then the snapshots close after one another. Without
 * `--no-expiry` a `snapshots.expiry` of the instance or a profile would let Incus delete the restore point one day.
 */
export function cutInIncus(volumes: readonly Volume[], { name, mark, members }: Pick<Cut, 'name' | 'mark' | 'members'>): Command[] {
  const values = {
    set: mark.id,
    name: requireSetName(name),
    release: mark.release,
    environment: mark.environment,
    tool: mark.tool,
    members: markNames(members.map(memberName), mark).join(','),
  };
  const keys = Object.entries(values).map(([key, value]) => `${SET_KEYS[key as keyof typeof SET_KEYS]}=${value}`);
  return [
    ...volumes.map((volume) =>
      volume.volume === undefined
        ? write(incus('config', 'set', requireInstance(volume.instance), '--project', volume.project, '--', ...keys), KEYS)
        : markVolume({ ...volume, volume: volume.volume }, keys),
    ),
    ...volumes.map((volume) =>
      volume.volume === undefined
        ? write(incus('snapshot', 'create', requireInstance(volume.instance), name, '--no-expiry', '--project', volume.project), CUT)
        : cutVolume({ ...volume, volume: volume.volume }, name),
    ),
  ];
}

const KEYS = { timeoutMs: 30_000 };
const CUT = { timeoutMs: 120_000 };

/** Deletes one snapshot. `security.protection.delete` does not stand in the way: it protects the instance (seen on 6.0.4). */
export function deleteInIncus(member: SetMember): Command {
  const { instance, volume, project, snapshot, pool = '' } = member;
  if (volume !== undefined) return deleteVolumeSnapshot({ pool, volume, project }, snapshot);
  return write(incus('snapshot', 'delete', requireInstance(instance), requireSetName(snapshot), '--project', project), CUT);
}

/** Whether a failed {@link deleteInIncus} only says that the snapshot is not there any more. */
export function isGone(result: CommandResult): boolean {
  return /Instance_snapshot not found|Instance snapshot not found|Storage pool volume not found/.test(result.stderr);
}

/** Whether a failed {@link cutInIncus} says that there is a snapshot of that name; the last is of a custom volume. */
export function isTakenInIncus({ stderr }: CommandResult): boolean {
  return /already exists|UNIQUE constraint failed|Snapshot "[^"]*" already in use/.test(stderr);
}

/** Whether a failed {@link cutInIncus} says that a snapshot of the instance is being made at this moment. */
export function isBeingCutInIncus({ stderr }: CommandResult): boolean {
  return /Instance is busy running a "create" operation/.test(stderr);
}

/** `remote:name` would go to another server, a first hyphen is an option. */
function requireInstance(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name)) throw new InputError(`'${name}' is not the name of an Incus instance`);
  return name;
}
