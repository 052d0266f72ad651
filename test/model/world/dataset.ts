/** What is in a file system: values by key. Never changed in place: a write puts a new map there, a snapshot keeps the old. */
export type Content = ReadonlyMap<string, string>;
/** Properties that are set on the thing itself. */
export type Properties = Readonly<Record<string, string>>;

export type Snapshot = {
  /** Who it is, whatever it is called and wherever a `promote` moves it. */
  readonly guid: number;
  readonly name: string;
  readonly createtxg: number;
  /** Seconds since 1970. */
  readonly creation: number;
  readonly content: Content;
  readonly properties: Properties;
  readonly holds: readonly string[];
};

export type Dataset = {
  readonly createtxg: number;
  readonly creation: number;
  /** `guid` of the snapshot that it was cloned from. */
  readonly origin: number | undefined;
  readonly content: Content;
  readonly properties: Properties;
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[];
};
