import { shortName } from '../snapshots/name.ts';
import type { ContainerStatus } from '../verbs/status/rows.ts';
import { table } from './table.ts';

/** The table of an environment. */
export function showStatus(rows: readonly ContainerStatus[]): string {
  const head = ['container', 'state', 'address', 'service', 'health', 'release', 'restore points', 'drift'];
  const cells = rows.map((row) => [
    row.instance,
    row.state,
    row.address ?? '-',
    `${row.service || '?'} ${row.version ?? '?'}`,
    row.health,
    row.release?.slice(0, 12) ?? '-',
    row.restorePoint === undefined ? '0' : `${row.restorePoints}, newest ${shortName(row.restorePoint)}`,
    row.drift,
  ]);
  const details = rows.flatMap(({ instance, detail }) => (detail === undefined ? [] : [`${instance}: ${detail}`]));
  return [table(head, cells), ...details].join('\n');
}
