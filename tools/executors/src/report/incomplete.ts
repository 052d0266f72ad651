import { splitElsewhere } from '../snapshots/environment-set.ts';
import { groupBy } from '../snapshots/set.ts';

/** That a restore point is incomplete, by what it lacks on other hosts (`<volume>@<host>` each); nothing where it lacks nothing. */
export function showIncomplete(missing: readonly string[] = []): string[] {
  if (missing.length === 0) return [];
  const hosts = [...groupBy(missing.map(splitElsewhere), ({ host }) => host)];
  const lacks = hosts.map(([host, volumes]) => `host ${host} has no ${volumes.map(({ volume }) => volume).join(', ')}`);
  return [`incomplete: ${lacks.join('; ')}`];
}
