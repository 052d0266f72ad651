/** What `prune` is given. Times are in milliseconds. */
export type PruneOptions = {
  readonly dryRun: boolean;
  readonly kept: boolean;
  readonly destroy: readonly string[];
  readonly yes: boolean;
  readonly leaseWait?: number | undefined;
  readonly leaseTake?: string | undefined;
  readonly json: boolean;
};
