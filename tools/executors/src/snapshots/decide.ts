import { type EnvironmentSet, findSet, type HostSets, missingElsewhere, splitElsewhere, withMissing } from './environment-set.ts';
import { type DeployEntry, lastCompleted, standing, withEnds } from './history.ts';
import { nextSetName, parseSetName, shortName, shortRelease } from './name.ts';
import { memberName, type RestorePoints, type SnapshotSet } from './set.ts';
import { showTime, sortableTime } from './time.ts';

/** One host of the environment, as far as a restore point goes. */
export type DecideHost = HostSets & {
  readonly points: Pick<RestorePoints, 'sets' | 'taken'>;
  /** Deploys, oldest first, by this host's log. */
  readonly history: readonly DeployEntry[];
  /** Volumes (see `memberName`) of the containers that exist here now, ours or about to be adopted. */
  readonly existing: readonly string[];
};

export type DecideInput = {
  /** The release that is being deployed. */
  readonly release: string;
  /** This run; a set that this run cut has it as its id. */
  readonly runId: string;
  /** All hosts of the environment that the run works on. */
  readonly hosts: readonly DecideHost[];
  /** Whether the plan has a change on any host; left out while it is not known. */
  readonly anyChangePlanned?: boolean;
};

/** What to do about a restore point, and why, in a sentence. */
export type Decision =
  | { readonly kind: 'reuse'; readonly set: EnvironmentSet; readonly because: string }
  /** On these hosts, under one name. */
  | { readonly kind: 'cut'; readonly name: string; readonly hosts: readonly string[]; readonly because: string }
  /** Cut it just before the first planned change of this run, and not at all if there is none. */
  | { readonly kind: 'lazy'; readonly name: string; readonly because: string }
  | { readonly kind: 'nothing'; readonly because: string };

/**
 * Whether this deploy has a restore point newer than the last completed deploy, on every host that has something to lose, or needs one:
 * decided once for the environment. In doubt one is cut: one too many costs nothing, a missing one costs the data. Pure.
 *
 * "Skip it if the name exists" would leave no fresh one when an old SHA is deployed again. So a set is reused only if this
 * run cut it, or an unfinished deploy of this release did and it covers all that exists now.
 */
export function decide(input: DecideInput): Decision {
  const { release, runId, anyChangePlanned } = input;
  const hosts = withMissing(input.hosts).map((one) => ({ ...one, history: withEnds(one, input.hosts) }));
  const concerned = hosts.filter(({ existing }) => existing.length > 0);
  if (concerned.length === 0) return { kind: 'nothing', because: 'no container exists yet, so there is nothing to lose' };

  const own = ofThisRun(input.hosts, runId);
  if (own !== undefined) return own;

  const at = concerned.map(({ host }) => host);
  const name = nextSetName(
    release,
    hosts.flatMap(({ points }) => points.taken),
  );
  const obstacle = whyNotReused(concerned, release);
  const newest = concerned[0]?.points.sets[0];
  const found = newest && findSet(concerned, newest.id);
  if (newest !== undefined && found !== undefined && obstacle === undefined) {
    const because = `an unfinished deploy of ${shortRelease(release)} cut ${shortName(newest.name)} at ${showTime(newest.cutAt)}, and no deploy has completed since`;
    return { kind: 'reuse', set: found, because };
  }

  const last = concerned.map(({ history }) => lastCompleted(history));
  const [first] = last;
  if (first === undefined || last.some((one) => one?.release !== release))
    return { kind: 'cut', name, hosts: at, because: `${obstacle ?? 'there is none'}${afterLast(concerned)}` };
  const because = `${shortRelease(release)} is the last completed release (${showTime(sortableTime(first.at))})`;
  return anyChangePlanned === true
    ? { kind: 'cut', name, hosts: at, because: `${because}, and there is something to change` }
    : { kind: 'lazy', name, because: `${because}; one will be cut before the first change, if there is a change` };
}

/**
 * What this run has cut already, in whichever of its processes; nothing where it has cut nothing whole. Where another process has
 * begun and has not come to every host yet, it is the same set that is cut on the others.
 */
function ofThisRun(hosts: readonly DecideHost[], runId: string): Decision | undefined {
  const own = findSet(hosts, runId);
  if (own === undefined || own.parts.some(({ set }) => set.missing.length > 0)) return undefined;
  const because = `this run has cut ${shortName(own.name)} already`;
  const lacking = new Set(own.parts.flatMap(({ set }) => missingElsewhere(set, hosts)).map((name) => splitElsewhere(name).host));
  if (lacking.size === 0) return { kind: 'reuse', set: own, because };
  const at = [...lacking].sort();
  return { kind: 'cut', name: own.name, hosts: at, because: `this run has cut ${shortName(own.name)} on the other hosts already` };
}

/** Why the newest sets cannot serve this deploy; nothing when they are one set that can. */
function whyNotReused(hosts: readonly DecideHost[], release: string): string | undefined {
  const obstacles = hosts.map((one) => ({ host: one.host, text: whyNotHere(one, release) }));
  const [first] = obstacles;
  if (first === undefined || obstacles.every(({ text }) => text === first.text)) {
    if (first?.text !== undefined) return first.text;
    const ids = new Set(hosts.map(({ points }) => points.sets[0]?.id));
    return ids.size > 1 ? 'the newest restore points of its hosts were not cut together' : undefined;
  }
  return obstacles.flatMap(({ host, text }) => (text === undefined ? [] : [`${host}: ${text}`])).join('; ');
}

function whyNotHere({ points, history, existing }: DecideHost, release: string): string | undefined {
  const [newest] = points.sets;
  return newest === undefined ? 'there is no restore point yet' : whySetNotReused(newest, { release, history, existing });
}

/** Why the newest set of a host cannot serve this deploy; nothing when it can. */
function whySetNotReused(
  newest: SnapshotSet,
  { release, history, existing }: Pick<DecideHost, 'history' | 'existing'> & { readonly release: string },
): string | undefined {
  const name = shortName(newest.name);
  if (newest.release !== release || parseSetName(newest.name)?.kind !== 'deploy')
    return `the newest restore point, ${name}, was cut before another release`;
  if (newest.missing.length > 0) return `${name} was not cut whole: ${newest.missing.join(', ')} is missing from it`;
  const since = standing(newest, history);
  if (since === 'before') return `a deploy has completed since ${name} was cut`;
  if (since === 'unknown') return `the audit log does not prove that no deploy has completed since ${name} was cut`;
  const uncovered = existing.filter((name) => !newest.members.some((member) => memberName(member) === name));
  return uncovered.length === 0 ? undefined : `${name} has no snapshot of ${uncovered.join(', ')}`;
}

function afterLast(hosts: readonly DecideHost[]): string {
  const all = hosts.map(({ host, history }) => ({ host, release: lastCompleted(history)?.release }));
  const releases = new Set(all.map(({ release }) => release));
  if (releases.size > 1) {
    const each = all.map(({ host, release }) => `${release === undefined ? 'none' : shortRelease(release)} on ${host}`);
    return `; the last completed release is ${each.join(', ')}`;
  }
  const release = all[0]?.release;
  return release === undefined ? '' : `; the last completed release is ${shortRelease(release)}`;
}
