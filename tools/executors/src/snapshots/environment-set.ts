import { memberName, type RestorePoints, type SnapshotSet } from './set.ts';

/** The restore points of one host of an environment. */
export type HostSets = { readonly host: string; readonly points: Pick<RestorePoints, 'sets'> };

/** What a restore point has on one host. */
export type SetPart = { readonly host: string; readonly set: SnapshotSet };

/** A restore point of an environment: what it has on each host. */
export type EnvironmentSet = {
  /** Id of the run that cut it, the same on every host. */
  readonly id: string;
  /** Its name on the first host: one that an older version cut may have another on each. */
  readonly name: string;
  readonly parts: readonly SetPart[];
};

/**
 * A restore point on all hosts that were looked at, found by its id. Of several of one id on a host, which a run has cut whose first cut
 * failed, it is the newest whole one. Nothing where no host has it.
 *
 * @param hosts each with its sets newest first
 */
export function findSet(hosts: readonly HostSets[], id: string): EnvironmentSet | undefined {
  const parts = hosts.flatMap(({ host, points }) => {
    const all = points.sets.filter((set) => set.id === id);
    const set = all.find(({ missing }) => missing.length === 0) ?? all[0];
    return set === undefined ? [] : [{ host, set }];
  });
  const [first] = parts;
  return first && { id, name: first.set.name, parts };
}

/** What the mark of a volume on another host is called: `<volume>@<host>`. */
export function elsewhereName(volume: string, host: string): string {
  return `${volume}@${host}`;
}

/** A volume of another host as a mark names it. A volume has no `@` in its name; a host may have. */
export function splitElsewhere(name: string): { readonly volume: string; readonly host: string } {
  const at = name.indexOf('@');
  return { volume: name.slice(0, at), host: name.slice(at + 1) };
}

/** What was to be cut on other hosts with a set and is not there, of the hosts that were looked at: `<volume>@<host>` each. */
export function missingElsewhere(set: SnapshotSet, hosts: readonly HostSets[]): string[] {
  return (set.elsewhere ?? []).filter((name) => {
    const { volume, host } = splitElsewhere(name);
    const members = hosts.flatMap(({ points }) => points.sets.filter(({ id }) => id === set.id)).flatMap((one) => one.members);
    return hosts.some((one) => one.host === host) && !members.some((member) => memberName(member) === volume);
  });
}

/** What a set lacks on the hosts that were looked at, as it is told: nothing where it lacks nothing there. */
export function lackingElsewhere(set: SnapshotSet, hosts: readonly HostSets[]): { readonly missingElsewhere?: readonly string[] } {
  const missing = missingElsewhere(set, hosts);
  return missing.length === 0 ? {} : { missingElsewhere: missing };
}

/** Hosts whose sets also tell as missing what they lack on the others. */
export function withMissing<T extends HostSets>(hosts: readonly T[]): T[] {
  return hosts.map((one) => {
    const sets = one.points.sets.map((set) => ({ ...set, missing: [...set.missing, ...missingElsewhere(set, hosts)] }));
    return { ...one, points: { ...one.points, sets } };
  });
}
