/** What `inventory` is given. */
export type InventoryOptions = {
  /** A file, absolute. */
  readonly out?: string | undefined;
  readonly all: boolean;
};
