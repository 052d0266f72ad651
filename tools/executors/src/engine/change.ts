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
};
