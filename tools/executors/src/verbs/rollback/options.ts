/** What `rollback` is given. Times are in milliseconds. */
export type RollbackOptions = {
  readonly before?: string | undefined;
  readonly to?: string | undefined;
  readonly undo: boolean;
  readonly again: boolean;
  readonly inPlace: boolean;
  readonly discardNewer: readonly string[];
  readonly release?: string | undefined;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly leaseWait?: number | undefined;
  readonly leaseTake?: string | undefined;
  readonly json: boolean;
};
