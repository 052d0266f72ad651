import { z } from 'zod';
import { type Command, type CommandResult, read, write } from '../../engine/command.ts';
import { InputError, MooringError, mustSucceed } from '../../engine/errors.ts';
import type { Instance } from '../../engine/instance.ts';
import type { Attached } from '../../engine/instance-platform.ts';
import { parseSetName, requireSetName } from '../../snapshots/name.ts';
import { type Found, memberName, type Stray, type Volume } from '../../snapshots/set.ts';
import { sortableTime } from '../../snapshots/time.ts';
import { parseAnswer } from './answer.ts';
import { incus } from './command.ts';
import { expiry, judge, OWN } from './set-marks.ts';

/** Which custom volume; of which project is for Incus to find out (`features.storage.volumes`). */
type VolumePlace = { readonly pool: string; readonly volume: string; readonly project: string };

/**
 * The custom volumes that an instance has attached, by itself or its profiles, each once. A disk with a `pool` is a volume of it
 * and never a path of the host; what follows a slash in `source` is a folder in the volume.
 */
export function attachedVolumes({ expanded_devices: devices }: Pick<Instance, 'expanded_devices'>): Attached[] {
  const all = Object.values(devices).flatMap(({ type, pool, path, source }) => {
    if (type !== 'disk' || path === '/' || pool === undefined || source === undefined || source === '') return [];
    return [{ pool, volume: source.split('/')[0] as string }];
  });
  return [...new Map(all.map((one) => [`${one.pool}/${one.volume}`, one])).values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf({ pool, volume }: Attached): string {
  return `${volume} ${pool}`;
}

/** The project that an instance's custom volumes are in: `default`, where its own has no volumes of its own (seen on 6.0.4). */
export function volumeProject(
  project: string,
  projects: readonly { readonly name: string; readonly config: Readonly<Record<string, string>> }[],
): string {
  const own = projects.find(({ name }) => name === project);
  return own?.config['features.storage.volumes'] === 'true' ? project : 'default';
}

/** Whether a volume's name can be told from an option, a remote and the next name in a list. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_][\w.-]*$/.test(name);
}

const snapshotsSchema = z.array(
  z.object({
    /** `<volume>/<snapshot>`. */
    name: z.string(),
    created_at: z.string(),
    /** `null` where it never expires (6.0.4). */
    expires_at: z.string().nullish(),
    config: z.record(z.string(), z.string()),
  }),
);

/** Asks for the snapshots of a custom volume. */
export function volumeSnapshotsCommand({ pool, volume, project }: VolumePlace): Command {
  const path = `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/custom/${encodeURIComponent(volume)}/snapshots`;
  return read(incus('query', `${path}?recursion=1&project=${encodeURIComponent(project)}`));
}

/**
 * Sorts a custom volume's snapshots into ours and those that only look so. They keep the volume's `config` of their moment, as an
 * instance's do. A volume has no UUID (6.0.4): its marks name the container that had it, so one that was copied or is attached to
 * another container has none of ours.
 *
 * @param result of {@link volumeSnapshotsCommand}
 * @throws CommandError, also when there is no such volume; MooringError at an answer that is not known
 */
export function foundOnVolume(result: CommandResult, volume: Volume & { readonly volume: string }, environment: string): Found {
  const name = memberName(volume);
  mustSucceed(result, `Incus did not report the snapshots of the volume ${name}`, { instance: volume.instance });
  const snapshots = parseAnswer(`the snapshots of ${name}`, result.stdout, snapshotsSchema);
  const members: Found['members'][number][] = [];
  const strays: Stray[] = [];
  const taken: string[] = [];
  for (const one of snapshots) {
    if (!one.name.startsWith(`${volume.volume}/`)) throw new MooringError(`Incus reported ${one.name}, a snapshot of another volume`);
    const snapshot = { ...one, name: one.name.slice(volume.volume.length + 1) };
    taken.push(snapshot.name);
    if (parseSetName(snapshot.name) === undefined) continue;
    const judged = judge(snapshot, one.config[OWNER_UUID], volume, environment);
    if ('because' in judged) {
      strays.push({ where: `${name}/${snapshot.name}`, because: judged.because });
      continue;
    }
    const { instance, project, pool } = volume;
    const cutAt = sortableTime(one.created_at);
    members.push({
      mark: judged.mark,
      member: {
        ...{ ...OWN, instance, volume: volume.volume, project, pool, snapshot: snapshot.name, cutAt },
        ...expiry(one.expires_at),
      },
    });
  }
  return { members, strays, taken };
}

/** `volatile.uuid` of the container that a volume's snapshot was cut with. */
const OWNER_UUID = 'user.mooring.set-uuid';

/** Sets the keys of a set on a volume, and whose it is. */
export function markVolume(place: VolumePlace & { readonly uuid: string }, keys: readonly string[]): Command {
  const { pool, volume, project, uuid } = place;
  return write(
    incus('storage', 'volume', 'set', pool, requireVolume(volume), '--project', project, '--', ...keys, `${OWNER_UUID}=${uuid}`),
    {
      timeoutMs: 30_000,
    },
  );
}

/** Cuts a volume. */
export function cutVolume({ pool, volume, project }: VolumePlace, name: string): Command {
  return write(
    incus(
      ...['storage', 'volume', 'snapshot', 'create', pool, requireVolume(volume), requireSetName(name), '--no-expiry'],
      ...['--project', project],
    ),
    { timeoutMs: 120_000 },
  );
}

/** Deletes one snapshot of a volume. */
export function deleteVolumeSnapshot({ pool, volume, project }: VolumePlace, name: string): Command {
  return write(incus('storage', 'volume', 'snapshot', 'delete', pool, requireVolume(volume), requireSetName(name), '--project', project), {
    timeoutMs: 120_000,
  });
}

function requireVolume(name: string): string {
  if (!isPlainName(name)) throw new InputError(`'${name}' is not the name of a custom volume that can be told from an option`);
  return name;
}
