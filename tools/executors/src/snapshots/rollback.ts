import type { Change } from '../engine/change.ts';
import type { Command, CommandResult } from '../engine/command.ts';
import { SafetyError } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import type { Instance } from '../engine/instance.ts';
import { nxRun } from '../engine/nx-command.ts';
import { shortName } from './name.ts';
import type { PreservedState } from './preserved.ts';
import { type Found, memberName, type SetMember, type SnapshotSet, type Volume } from './set.ts';

/** Where a roll-back goes. */
export type Goal =
  /** To a restore point, the present state kept. */
  | { readonly kind: 'set'; readonly set: SnapshotSet; readonly release: string | undefined }
  /** To a restore point, the present state destroyed: `discard` names what of it may be. */
  | { readonly kind: 'in-place'; readonly set: SnapshotSet; readonly release: string | undefined; readonly discard: readonly string[] }
  /** Back to what a roll-back left. */
  | { readonly kind: 'undo'; readonly run: string; readonly set: SnapshotSet | undefined };

/** The roll-back that is planned. */
export type Attempt = {
  readonly goal: Goal;
  /** Its id: that of the interrupted run where this one finishes it. */
  readonly runId: string;
  /** RFC 3339. */
  readonly now: string;
  /** The release before whose deploy it goes. */
  readonly before: string;
  /** It takes back what this very roll-back did, because it failed. */
  readonly failed?: boolean;
  /** What was kept before an undo that failed: it goes back to its place, and a later undo finds it there. */
  readonly keptBefore?: readonly PreservedState[];
};

/** The container that a volume is of, and what is known of it beside its storage. */
export type Container = {
  readonly instance: Instance;
  readonly environment: string;
  /** All restore points of its host. */
  readonly sets: readonly SnapshotSet[];
  /** An interrupted roll-back in place has come to it already. */
  readonly isDone: boolean;
};

/** How `--discard-newer` names what was written since the newest snapshot. */
export const PRESENT = 'present';

/** What is done to one volume, in a way that is the backend's own. */
export type VolumePlan = {
  readonly volume: Volume;
  /** What becomes of the present state, part of a sentence. */
  readonly present: string;
  /** @param forget the platform's records of snapshots that are deleted by their names, all of the container's */
  changes(forget: readonly string[]): readonly Change[];
  /** The present is kept as a snapshot, cut once all is stopped; and the configuration of the instance goes back as well. */
  readonly restores: boolean;
  /** When a key on the instance says that this run has come to it: before its start is written down, or after. */
  readonly key?: 'before' | 'after';
  /** The release of a preserved state that is brought back, where it is known. */
  readonly release?: string | undefined;
  /** Records of snapshots that the platform has and that are not there afterwards; when they are deleted. */
  readonly forget?: { readonly names: readonly string[]; readonly when: 'before' | 'after' };
  /** Snapshots that are newer than the one gone back to, and the bytes written since. */
  readonly newer?: { readonly names: readonly string[]; readonly written: Fact<number> };
  /** Refuses files that would belong to nobody. Its parser throws a SafetyError. */
  readonly ids?: Fact<void>;
};

/** What a backend saw of volumes that may go back. Pure. */
export type SeenBack = {
  readonly found: readonly Found[];
  /** Preserved states of these volumes, proved by their marks and the container's UUID. */
  readonly kept: readonly PreservedState[];
  /** Whether a last snapshot of it is cut while it runs: where the state that is left is kept as a thing of its own, and its live name is not empty. */
  isCutFirst(volume: Volume): boolean;
  /** Whether nothing is on it that is not in the snapshot, and no later snapshot. */
  isAt(volume: Volume, snapshot: string): boolean;
  /** Nothing where an interrupted run has done it, or where there is nothing to bring back. @throws SafetyError */
  plan(container: Container, volume: Volume, attempt: Attempt): VolumePlan | undefined;
};

/** Questions in two rounds: what the second asks for follows from the first. */
export type LookBack = {
  readonly commands: readonly Command[];
  further(results: readonly CommandResult[]): { readonly commands: readonly Command[]; done(results: readonly CommandResult[]): SeenBack };
};

/** A container's part of a set. @throws SafetyError when it has none */
export function memberOf(set: SnapshotSet, volume: Volume): SetMember {
  const member = set.members.find((one) => one.instance === volume.instance && one.volume === volume.volume);
  if (member !== undefined) return member;
  throw new SafetyError(`${shortName(set.name)} has no snapshot of ${memberName(volume)}`, {
    next: `${nxRun('snapshots')} tells which have; a later one may be with a preserved state: --undo brings it back`,
  });
}
