/** What `plan` is given. */
export type PlanOptions = {
  readonly release?: string | undefined;
  readonly create: readonly string[];
  readonly adopt: readonly string[];
  readonly newHost: readonly string[];
  readonly without: readonly string[];
  readonly failOnChanges: boolean;
  /** A file, absolute. */
  readonly out?: string | undefined;
  readonly markdown: boolean;
  readonly json: boolean;
};
