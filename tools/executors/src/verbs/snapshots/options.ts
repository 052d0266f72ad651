/** What `snapshots` is given. */
export type SnapshotsOptions = { readonly json: boolean };
