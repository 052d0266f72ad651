/** What `status` is given. */
export type StatusOptions = {
  readonly completedRelease: boolean;
  readonly failOn?: 'degraded' | 'unhealthy' | undefined;
  readonly json: boolean;
};
