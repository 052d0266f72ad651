import type { DeployEntry } from '../tools/executors/src/snapshots/history.ts';
import type { SnapshotSet } from '../tools/executors/src/snapshots/set.ts';
import { timeOfSeconds } from '../tools/executors/src/snapshots/time.ts';

/** A whole set of `members`, cut at second `at` (which is also its txg, unless the clock was off). */
export function set(id: string, name: string, at: number, members = ['redis', 'minio'], intended = members, clockOff = 0): SnapshotSet {
  const cutAt = timeOfSeconds(at + clockOff);
  return {
    ...{ id, name, release: name.slice(11, 51), environment: 'prod', tool: '0.1.0', intended, cutAt },
    missing: intended.filter((instance) => !members.includes(instance)),
    members: members.map((instance) => ({
      kind: 'zfs',
      instance,
      project: 'p',
      dataset: `tank/${instance}`,
      snapshot: name,
      cutAt,
      createtxg: at,
      used: 0,
      written: 0,
      holds: 0,
      clones: [],
    })),
  };
}

/** An entry of a deploy in the audit log, at second `at`. */
export function entry(release: string, result: DeployEntry['result'], run: string, at: number, of?: string): DeployEntry {
  return { release, result, run, at: new Date(at * 1000).toISOString(), ...(of === undefined ? {} : { set: of }) };
}
