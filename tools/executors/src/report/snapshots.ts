import { shortName, shortRelease } from '../snapshots/name.ts';
import { showTime } from '../snapshots/time.ts';
import type { EnvironmentSnapshots } from '../verbs/snapshots/index.ts';
import type { SnapshotsOptions } from '../verbs/snapshots/options.ts';
import type { HostSnapshots, SetRow } from '../verbs/snapshots/rows.ts';
import { jsonUnreachable } from './absent.ts';
import { showIncomplete } from './incomplete.ts';
import type { Report } from './report.ts';
import { table } from './table.ts';
import { showBytes, showSpan } from './units.ts';

/** What snapshots answers with. */
export const snapshotsReport: Report<EnvironmentSnapshots, SnapshotsOptions> = {
  text: ({ hosts, dead }) => showSnapshots(hosts, hosts.length + dead.size > 1),
  json: ({ environment, hosts, dead }, clean) => clean.json({ environment, hosts, unreachable: jsonUnreachable(dead) }, 2),
};

/** The restore points of an environment, newest first, a table for each host. @param named whether to say which host is which */
export function showSnapshots(hosts: readonly HostSnapshots[], named = hosts.length > 1): string {
  return hosts.map((host) => showHost(host, named)).join('\n\n');
}

function showHost({ host, sets, strays, without }: HostSnapshots, named: boolean): string {
  const head = ['restore point', 'before release', 'cut', 'age', 'used', 'written since', 'held', 'last good', 'volumes'];
  const lines = sets.length === 0 ? ['there are no restore points'] : [table(head, sets.map(cells))];
  return [
    ...(named ? [`${host}:`] : []),
    ...lines,
    ...without.map((sentence) => sentence),
    ...strays.map(({ where, because }) => `not ours: ${where}: ${because}`),
  ].join('\n');
}

function cells(row: SetRow): string[] {
  const missing = row.missing.length === 0 ? [] : [`${row.missing.join(', ')} missing`];
  return [
    shortName(row.name),
    shortRelease(row.release),
    showTime(row.cutAt),
    showSpan(row.ageSeconds),
    row.usedBytes === null ? 'unknown' : showBytes(row.usedBytes),
    row.writtenSinceBytes === null ? 'unknown' : showBytes(row.writtenSinceBytes),
    row.held ? 'held' : '-',
    row.lastGood === null ? 'unknown' : row.lastGood ? 'yes' : '-',
    [row.members.length, ...missing, ...showIncomplete(row.missingElsewhere)].join(', '),
  ];
}
