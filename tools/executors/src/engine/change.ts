import type { Command } from './command.ts';

/** How much a change is felt by those who use the service. */
export type Impact = 'none' | 'reload' | 'restart' | 'data-loss';

/** An artifact of the store that goes into a container; see `artifacts/`. */
export type PutArtifact = {
  readonly artifact: string;
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
};

/** What the application has and will not reach any more, though it stays: the bucket, database or virtual host of earlier settings. */
export type Left = {
  /** In the service's own noun: `bucket`. */
  readonly kind: string;
  readonly name: string;
  /** What stays, and what the application loses: `its objects stay, and the application, which will use …, …`. */
  readonly loss: string;
};

/** What a change says that leaves something behind. One that does not is felt by nobody. */
export function leaving(left: readonly Left[]): Pick<Change, 'impact' | 'leaves'> {
  return left.length === 0 ? { impact: 'none' } : { impact: 'data-loss', leaves: left };
}

/** One planned change: plain data that can be printed, compared and applied. */
export type Change = {
  /** What is changed, in the field's words: `role veza`, `file /etc/redis/redis.conf`, `unit redis-server`. */
  readonly resource: string;
  readonly action: 'create' | 'update' | 'restart' | 'destroy';
  /** What is there now, secrets hidden; nothing for `create`. */
  readonly before?: unknown;
  /** What will be there, secrets hidden. */
  readonly after?: unknown;
  readonly impact: Impact;
  /** A sentence's worth of reason. */
  readonly because: string;
  /** In this order; the first failure ends the container's run. */
  readonly commands: readonly (Command | PutArtifact)[];
  /**
   * What takes the change back, if the run fails after it began or leaves the service unhealthy: run newest change first, so each
   * finds what its own `commands` left, wholly or in part, and may be run twice. `[]` for a change that there is nothing to take back of,
   * such as a restart. A change without one stays, and so does all that was done before it.
   */
  readonly undo?: readonly Command[];
  /** Run once everything is taken back, oldest change first: what brings the former files into force, such as a restart. */
  readonly afterUndo?: readonly Command[];
  /** What the application loses its access to by the change; `configure` makes it only with a flag that names each. */
  readonly leaves?: readonly Left[];
  /** What whoever reads the plan should know of it: `could not be tried beforehand: …`. A sentence each. */
  readonly warnings?: readonly string[];
};
