import type { Swap } from '../../platforms/zfs/swap.ts';
import type { KeptState } from '../../snapshots/kept.ts';
import type { SnapshotSet, Volume } from '../../snapshots/set.ts';
import type { Candidate } from './look.ts';

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
  readonly keptBefore?: readonly KeptState[];
};

/** What is done to one volume. */
export type VolumePlan =
  | { readonly kind: 'clone'; readonly volume: Volume; readonly swap: Swap; readonly snapshot: string }
  | { readonly kind: 'kept'; readonly volume: Volume; readonly swap: Swap; readonly source: string }
  | {
      readonly kind: 'in-place';
      readonly volume: Volume;
      readonly dataset: string;
      readonly snapshot: string;
      readonly destroy: readonly string[];
    }
  | { readonly kind: 'restore'; readonly volume: Volume; readonly snapshot: string };

/** What is done to one container. */
export type ContainerRollback = {
  readonly candidate: Candidate;
  readonly volumes: readonly VolumePlan[];
  /** Incus's records of snapshots that are not on the live dataset afterwards. */
  readonly forget: readonly string[];
  /** The release of the state gone back to; nothing when it is not known. */
  readonly release: string | undefined;
};
