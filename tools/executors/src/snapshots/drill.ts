import type { Instance } from '../engine/instance.ts';

/** What a throw-away instance is made from and for. */
export type DrillSpec = {
  readonly name: string;
  /** Its project, which is the live instance's. */
  readonly project: string;
  /** The live instance; it is only read. */
  readonly live: Instance;
  readonly environment: string;
  readonly run: string;
  /** Name of the snapshot. */
  readonly snapshot: string;
  readonly keep: boolean;
};
