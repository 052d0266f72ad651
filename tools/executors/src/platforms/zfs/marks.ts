import { InputError, SafetyError } from '../../engine/errors.ts';
import type { InstanceState } from '../../snapshots/backend.ts';
import { parseSetName } from '../../snapshots/name.ts';
import { doubt, type Found, markNames, memberName, parseMarkNames, type SetMark, type Stray, type Volume } from '../../snapshots/set.ts';
import { timeOfSeconds } from '../../snapshots/time.ts';
import type { ZfsListing, ZfsSnapshot } from './facts.ts';
import { instanceMark, instanceProperty } from './instance-mark.ts';
import { MARKS } from './properties.ts';
import { ZFS, type ZfsMember, type ZfsVolume } from './volume.ts';

/** OpenZFS `ZAP_MAXVALUELEN`, with the ending NUL. */
const VALUE_MAX_BYTES = 8192;

/**
 * The `-o` arguments that mark a cut.
 *
 * @param members every volume of the set
 * @param instances what those that have a volume on ZFS are like now
 * @throws InputError when something is too long for a property
 */
export function markArguments(
  mark: Omit<SetMark, 'intended'>,
  members: readonly Pick<Volume, 'instance' | 'volume' | 'uuid'>[],
  instances: readonly InstanceState[],
): string[] {
  const uuids = new Map(members.map((member) => [memberName(member), member.uuid]));
  // What is cut on other hosts is named without its UUID: only its own host can compare that.
  const list = JSON.stringify(Object.fromEntries(markNames([...uuids.keys()], mark).map((name) => [name, uuids.get(name) ?? ''])));
  if (Buffer.byteLength(list) >= VALUE_MAX_BYTES) {
    throw new InputError(`${members.length} volumes are too many for one restore point: a ZFS property holds ${VALUE_MAX_BYTES} bytes`);
  }
  return [
    ...property(MARKS.release, mark.release),
    ...property(MARKS.environment, mark.environment),
    ...property(MARKS.set, mark.id),
    ...property(MARKS.tool, mark.tool),
    ...property(MARKS.members, list),
    ...instances.flatMap((instance) => property(instanceProperty(instance.name), instanceMark(instance))),
  ];
}

function property(name: string, value: string): string[] {
  if (/[\t\n]/.test(value)) throw new InputError(`a mark of a snapshot must not have tabs or line ends: ${JSON.stringify(value)}`);
  const bytes = Buffer.byteLength(value);
  if (bytes >= VALUE_MAX_BYTES) {
    throw new InputError(`the mark ${name} would have ${bytes} bytes, a ZFS property holds ${VALUE_MAX_BYTES}`, {
      next: 'what it is made of: limits, security settings and devices of the instance, by incus config show',
    });
  }
  return ['-o', `${name}=${value}`];
}

/**
 * Sorts the snapshots of the volumes' datasets into ours and those that only look so.
 *
 * @throws SafetyError when the dataset of a container that Incus lists does not exist
 */
export function foundOnZfs(listing: ZfsListing, volumes: readonly ZfsVolume[], environment: string): Found {
  const members: Found['members'][number][] = [];
  const strays: Stray[] = [];
  const taken: string[] = [];
  for (const volume of volumes) {
    const dataset = listing.get(volume.dataset);
    if (dataset === undefined || dataset === 'absent') {
      throw new SafetyError(`Incus lists ${memberName(volume)}, but its dataset ${volume.dataset} does not exist`, {
        instance: volume.instance,
        next: `zfs list -r -o name,mounted,origin ${volume.dataset.split('/').slice(0, -1).join('/')}, on the host`,
      });
    }
    for (const snapshot of dataset.snapshots) {
      taken.push(snapshot.name);
      if (parseSetName(snapshot.name) === undefined) continue;
      const judged = judge(snapshot, volume, environment);
      if ('mark' in judged) members.push({ mark: judged.mark, member: memberOf(snapshot, volume) });
      else strays.push({ where: `${volume.dataset}@${snapshot.name}`, because: judged.because });
    }
  }
  return { members, strays, taken };
}

function memberOf(snapshot: ZfsSnapshot, volume: ZfsVolume): ZfsMember {
  const { createtxg, used, written, holds, clones } = snapshot;
  const { instance, project, dataset, volume: custom } = volume;
  return {
    kind: ZFS,
    instance,
    ...(custom === undefined ? {} : { volume: custom }),
    project,
    dataset,
    snapshot: snapshot.name,
    cutAt: timeOfSeconds(snapshot.creation),
    createtxg,
    used,
    written,
    holds,
    clones,
  };
}

function judge(snapshot: ZfsSnapshot, volume: Volume, environment: string): { readonly mark: SetMark } | { readonly because: string } {
  const values: Partial<Record<keyof typeof MARKS, string>> = {};
  for (const key of Object.keys(MARKS) as (keyof typeof MARKS)[]) {
    const found = snapshot.marks[key];
    if (found === undefined) return { because: `it has no mark ${MARKS[key]}` };
    if (found.source !== 'local') return { because: `its mark ${MARKS[key]} is ${found.source}, not set on it` };
    values[key] = found.value;
  }
  const { release = '', environment: marked = '', set: id = '', tool = '' } = values;
  const uuids = parseMembers(values.members ?? '');
  if (uuids === undefined) return { because: `its mark ${MARKS.members} is not a list of containers` };
  const mark: SetMark = { id, release, environment: marked, tool, ...parseMarkNames(Object.keys(uuids)) };
  const because = doubt(snapshot.name, mark, uuids[memberName(volume)], volume, environment);
  return because === undefined ? { mark } : { because };
}

function parseMembers(value: string): Record<string, string> | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    const fits =
      typeof parsed === 'object' &&
      parsed !== null &&
      !Array.isArray(parsed) &&
      Object.values(parsed).every((uuid) => typeof uuid === 'string');
    return fits ? (parsed as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
