import type { CommandResult } from '../../engine/command.ts';
import { BACKENDS } from '../../shared/backends.ts';
import type { Survey } from '../../shared/survey.ts';
import { byBackend } from '../../snapshots/backend.ts';
import { type HostSets, lackingElsewhere } from '../../snapshots/environment-set.ts';
import { type DeployEntry, deployHistory } from '../../snapshots/history.ts';
import { held, ofLastGoodDeploy } from '../../snapshots/prune.ts';
import { memberName, type SnapshotSet, type Stray, whereOf } from '../../snapshots/set.ts';

/** One restore point, as it is told. `null` is what is not known. */
export type SetRow = {
  readonly name: string;
  readonly id: string;
  /** Before which it was cut, or gone back. */
  readonly release: string;
  /** See `sortableTime`. */
  readonly cutAt: string;
  readonly ageSeconds: number;
  /** What only its snapshots hold: what its end would give back, at least. Incus does not tell it. */
  readonly usedBytes: number | null;
  /** What was written to its volumes since. Incus does not tell it. */
  readonly writtenSinceBytes: number | null;
  /** Whether a `zfs hold` is on one of its snapshots. */
  readonly held: boolean;
  /** Whether the last deploy that completed was made over it; not known where the audit log has none. */
  readonly lastGood: boolean | null;
  readonly members: readonly string[];
  readonly missing: readonly string[];
  /** What it lacks on other hosts that were asked, `<volume>@<host>` each: then it is incomplete. Not there where it lacks nothing. */
  readonly missingElsewhere?: readonly string[];
};

/** What one host has. */
export type HostSnapshots = {
  readonly host: string;
  /** Newest first. */
  readonly sets: readonly SetRow[];
  /** Snapshots with a name like ours that are not proved to be ours. */
  readonly strays: readonly Stray[];
  /** What can have no restore point: a sentence each. */
  readonly without: readonly string[];
};

/** What was asked of one host. */
export type AskedHost = HostSets & Pick<Survey, 'points' | 'coverage' | 'audit'> & { readonly written: WrittenSince };

/** Asks a host that was looked at. */
export async function askHost(host: string, seen: Survey): Promise<AskedHost> {
  const { points, coverage, audit } = seen;
  return { host, points, coverage, audit, written: await writtenSince(seen) };
}

/** What one host has. Pure. @param all every host that was asked @param now for the ages */
export function hostSnapshots({ host, points, coverage, audit, written }: AskedHost, all: readonly HostSets[], now: Date): HostSnapshots {
  return {
    host,
    sets: points.sets.map((set) => ({
      ...setRow(set, points.sets, deployHistory(audit), written, now),
      ...lackingElsewhere(set, all),
    })),
    strays: points.strays,
    without: coverage.without.map((one) => `NO RESTORE POINT for ${memberName(one)}: ${one.because}`),
  };
}

/** Bytes by `whereOf`; what is not known is not in it. */
type WrittenSince = ReadonlyMap<string, number>;

/** Asked in a round trip of its own, and only where there is a snapshot whose storage tells it: its name must be known first. */
async function writtenSince({ host, points }: Survey): Promise<WrittenSince> {
  const members = points.sets.flatMap((set) => set.members);
  const facts = byBackend(BACKENDS, members).flatMap(({ backend, own }) => backend.writtenSince(own) ?? []);
  if (facts.length === 0) return new Map();
  const results = await host.run(facts.map(({ command }) => command));
  return new Map(facts.flatMap(({ parse }, i) => [...parse(results[i] as CommandResult)]));
}

/** A set as it is told. Pure. */
export function setRow(
  set: SnapshotSet,
  sets: readonly SnapshotSet[],
  history: readonly DeployEntry[],
  written: WrittenSince,
  now: Date,
): SetRow {
  const context = { sets, history, retention: 1, runId: '' };
  const sum = (value: (member: SnapshotSet['members'][number]) => number | undefined): number | null => {
    const values = set.members.map(value);
    return values.every((one) => one !== undefined) ? values.reduce((all, one) => all + one, 0) : null;
  };
  const deployed = history.some(({ result }) => result === 'ok');
  return {
    name: set.name,
    id: set.id,
    release: set.release,
    cutAt: set.cutAt,
    ageSeconds: Math.max(0, Math.floor((now.getTime() - Date.parse(`${set.cutAt.slice(0, 19)}Z`)) / 1000)),
    usedBytes: sum(({ used }) => used),
    writtenSinceBytes: sum((member) => written.get(whereOf(member))),
    held: held(set, context) !== undefined,
    lastGood: deployed ? ofLastGoodDeploy(set, context) !== undefined : null,
    members: set.members.map(memberName),
    missing: set.missing,
  };
}
