/** Work on each of some hosts, all at once and each to its end: what one does not take must not break off another's. @throws the first that failed */
export async function onEvery<T, R>(hosts: readonly T[], work: (host: T) => Promise<R>): Promise<R[]> {
  const ends = await Promise.allSettled(hosts.map(work));
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

/** One after the other: leases are taken in the same order by all runs, or two could wait for each other. */
export async function inTurn<T>(names: readonly string[], work: (name: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const name of names) results.push(await work(name));
  return results;
}
