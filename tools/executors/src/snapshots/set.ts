import { parseSetName } from './name.ts';

/** One volume that a restore point covers: a container's root on its pool, or a custom volume that is attached to it. */
export type Volume = {
  readonly instance: string;
  /** Name of the custom volume; nothing for the container's root. */
  readonly volume?: string;
  /** Incus project. */
  readonly project: string;
  /** `volatile.uuid` of the instance: a new instance of the same name has another. */
  readonly uuid: string;
  /** Incus storage pool. */
  readonly pool: string;
  /** Other instances of the project that have the custom volume attached, ours or not: a roll-back of one would change theirs. */
  readonly sharedWith?: readonly string[];
  /** The key of the backend that has it: for the backends only, see `backendOf`. */
  readonly kind: string;
  /** What the backend itself calls it, where that is not made of the names above: a ZFS dataset. */
  readonly dataset?: string;
};

/** One volume's part of a set: a snapshot that is proved to be ours. What a backend does not tell is not there. */
export type SetMember = {
  readonly instance: string;
  /** Name of the custom volume; nothing for the container's root. */
  readonly volume?: string;
  readonly project: string;
  /** Incus storage pool. */
  readonly pool?: string;
  /** Name of the snapshot, without dataset or instance. */
  readonly snapshot: string;
  /** See `sortableTime`. */
  readonly cutAt: string;
  /** As a {@link Volume} has it; likewise the next. */
  readonly kind: string;
  readonly dataset?: string;
  /** Its place in the order of all that was ever written in the pool of its dataset: the same for what was cut in one moment. */
  readonly createtxg?: number;
  /** Bytes that only this snapshot holds. */
  readonly used?: number;
  /** Bytes written between the snapshot before it and this one. */
  readonly written?: number;
  /** How many holds it has, which somebody put on it on purpose. */
  readonly holds?: number;
  /** Datasets cloned from it. */
  readonly clones?: readonly string[];
  /** RFC 3339: when the storage will delete it by itself; nothing when never. */
  readonly expires?: string;
  /** A roll-back keeps the state that it leaves as such a snapshot, and an undo goes back to it; else as a thing of its own. */
  readonly keepsPresent?: true;
};

/** What a snapshot says of itself, by our marks. */
export type SetMark = {
  /** Set id: the id of the run that cut it. */
  readonly id: string;
  readonly release: string;
  readonly environment: string;
  /** Version of this tool. */
  readonly tool: string;
  /** All volumes that were to be cut then on this host, by {@link memberName}. */
  readonly intended: readonly string[];
  /** Those that were to be cut then on other hosts, `<volume>@<host>` each; see `environment-set.ts`. */
  readonly elsewhere?: readonly string[];
};

/** A restore point: one snapshot of every volume of an environment's containers, cut together. */
export type SnapshotSet = SetMark & {
  /** `pre-deploy-<sha>`, `pre-deploy-<sha>-2`, … */
  readonly name: string;
  /** When its first member was cut; see `sortableTime`. */
  readonly cutAt: string;
  readonly members: readonly SetMember[];
  /** Volumes (see {@link memberName}) of this host that were to be cut and have no snapshot of it: a cut that failed half way, or what is gone or detached. */
  readonly missing: readonly string[];
};

/** A snapshot that has a name like ours but is not proved to be ours. It is never used and never destroyed. */
export type Stray = {
  /** `tank/containers/x@pre-deploy-…` or `x/pre-deploy-…`. */
  readonly where: string;
  readonly because: string;
};

/** What one kind of storage has. */
export type Found = {
  readonly members: readonly { readonly mark: SetMark; readonly member: SetMember }[];
  readonly strays: readonly Stray[];
  /** Every snapshot name on the volumes, whoever made it. */
  readonly taken: readonly string[];
};

/** All restore points of an environment on one host. */
export type RestorePoints = {
  /** Newest first. */
  readonly sets: readonly SnapshotSet[];
  readonly strays: readonly Stray[];
  readonly taken: readonly string[];
};

/** What marks and messages call a volume or a member: `<instance>` for a container's root, `<instance>/<volume>` for a custom volume. */
export function memberName({ instance, volume }: { readonly instance: string; readonly volume?: string }): string {
  return volume === undefined ? instance : `${instance}/${volume}`;
}

/** What messages call a snapshot: `tank/containers/x@…` where it is one of a dataset, else `x/…`. */
export function whereOf(member: SetMember): string {
  return member.dataset === undefined ? `${memberName(member)}/${member.snapshot}` : `${member.dataset}@${member.snapshot}`;
}

/** All volumes that a mark names, as it writes them down: those of other hosts have their host beside them. */
export function markNames(own: readonly string[], { elsewhere = [] }: Pick<SetMark, 'elsewhere'>): string[] {
  return [...own, ...elsewhere];
}

/** Reads the names of {@link markNames}. */
export function parseMarkNames(names: readonly string[]): Pick<SetMark, 'intended' | 'elsewhere'> {
  const elsewhere = names.filter((name) => name.includes('@'));
  const intended = names.filter((name) => !name.includes('@'));
  return elsewhere.length === 0 ? { intended } : { intended, elsewhere };
}

/** Puts together what the kinds of storage have: sets are those of one id and name. */
export function restorePoints(parts: readonly Found[]): RestorePoints {
  const groups = groupBy(
    parts.flatMap(({ members }) => members),
    ({ mark, member }) => `${member.snapshot} ${mark.id}`,
  );
  return {
    sets: [...groups.values()].map(setOf).sort((a, b) => compareSets(b, a)),
    strays: parts.flatMap(({ strays }) => strays),
    taken: [...new Set(parts.flatMap(({ taken }) => taken))],
  };
}

function setOf(group: Found['members']): SnapshotSet {
  const members = group.map(({ member }) => member).sort((a, b) => (memberName(a) < memberName(b) ? -1 : 1));
  const [first] = group;
  if (first === undefined) throw new RangeError('a set has members');
  const cutAt = members.map((member) => member.cutAt).sort()[0] as string;
  const missing = first.mark.intended.filter((name) => !members.some((member) => memberName(member) === name));
  return { ...first.mark, name: first.member.snapshot, cutAt, members, missing };
}

/**
 * Negative when `a` was cut before `b`. By `createtxg` where both have a member in one ZFS pool, for clocks jump and names
 * do not tell; else by the host's clock.
 */
export function compareSets(a: SnapshotSet, b: SnapshotSet): number {
  const other = txgs(b);
  for (const [pool, txg] of txgs(a)) {
    const against = other.get(pool);
    if (against !== undefined && against !== txg) return txg - against;
  }
  if (a.cutAt !== b.cutAt) return a.cutAt < b.cutAt ? -1 : 1;
  return (parseSetName(a.name)?.ordinal ?? 0) - (parseSetName(b.name)?.ordinal ?? 0);
}

function txgs(set: SnapshotSet): Map<string, number> {
  return new Map(
    set.members.flatMap(({ dataset, createtxg }) =>
      dataset === undefined || createtxg === undefined ? [] : [[zpoolOf(dataset), createtxg] as const],
    ),
  );
}

/** Items by key, in the order in which the keys appear. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** The ZFS pool of a dataset: the first part of its name. */
export function zpoolOf(dataset: string): string {
  return dataset.split('/', 1)[0] as string;
}

/**
 * Why a snapshot's mark does not prove that it is ours; nothing when it does. The mark must be of this environment and of
 * the release in the snapshot's name, and name this very container by its UUID: a container made anew under the same
 * name, or copied, is another.
 *
 * @param uuid the container's UUID as the mark remembers it
 */
export function doubt(name: string, mark: SetMark, uuid: string | undefined, volume: Volume, environment: string): string | undefined {
  if (mark.environment !== environment) return `it is marked as of the environment ${mark.environment}, not ${environment}`;
  if (parseSetName(name)?.release !== mark.release) return `it is marked as cut before ${mark.release}, which its name does not say`;
  if (!mark.intended.includes(memberName(volume)))
    return `its mark does not name ${memberName(volume)}: what it is of, or the snapshot itself, was renamed, copied or attached elsewhere`;
  if (uuid !== volume.uuid) return `it was cut of another container of that name (volatile.uuid ${uuid ?? 'unknown'}, now ${volume.uuid})`;
  return undefined;
}

/** The restore points of a container's root, newest first: for tables and for `status`. */
export function restorePointsOf(
  sets: readonly SnapshotSet[],
  instance: string,
): { readonly set: SnapshotSet; readonly member: SetMember }[] {
  return sets.flatMap((set) => {
    const member = set.members.find((one) => memberName(one) === instance);
    return member === undefined ? [] : [{ set, member }];
  });
}
