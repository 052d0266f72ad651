/** User properties by which a snapshot is known as ours. They are read as one list, so a new one is added here only. */
export const MARKS = {
  release: 'mooring:release',
  environment: 'mooring:environment',
  set: 'mooring:set',
  tool: 'mooring:tool',
  /** JSON: the container's UUID of every volume of the set, by `memberName`. `zfs snapshot a@x b@x` sets the same properties on all, so each carries the whole list. What is cut on other hosts is in it as `<volume>@<host>`, with no UUID. */
  members: 'mooring:members',
} as const;
