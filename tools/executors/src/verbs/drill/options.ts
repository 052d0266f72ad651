/** What `drill` is given. Times are in milliseconds. */
export type DrillOptions = {
  readonly to?: string | undefined;
  readonly timeout?: number | undefined;
  readonly keep: boolean;
  readonly leaseWait?: number | undefined;
  readonly leaseTake?: string | undefined;
  readonly json: boolean;
};
