import type { CensusEntry } from '../../engine/service.ts';

/** What a drill proved, as plain data. Times in seconds. */
export type DrillReport = {
  readonly container: string;
  readonly instance: string;
  readonly host: string;
  readonly snapshot: string;
  /** Id of its set. */
  readonly set: string;
  readonly release: string;
  /** See `sortableTime`. */
  readonly cutAt: string;
  readonly age: number;
  readonly service: string;
  readonly version: string;
  readonly health: string;
  /** Nothing where the service cannot count. */
  readonly census: readonly CensusEntry[] | undefined;
  readonly proves: string | undefined;
  readonly seconds: {
    readonly clone: number;
    readonly start: number;
    readonly health: number;
    readonly census: number;
    readonly stop: number;
    readonly remove: number | undefined;
  };
  /** How long a real roll-back would take, as far as the copy tells. */
  readonly rollback: number;
  /** What the copy did without. */
  readonly without: readonly string[];
  /** Name of the throw-away instance; `kept` says whether it is still there. */
  readonly drill: string;
  readonly kept: boolean;
  /** What else was found or done: a sentence each. */
  readonly notes: readonly string[];
};

/** A drill that passed. `project` is Incus's, where the copy is or was. */
export type Drilled = { readonly report: DrillReport; readonly project: string };
