import type { AuditEntry } from '../audit/audit.ts';

/** The audit log for a reader, a line an entry with its changes indented below. */
export function showLog(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'the audit log is empty';
  return entries
    .flatMap(({ time, who, run, what, container, release, result, detail, changes }) => [
      [time, who, run, what, container ?? '', release?.slice(0, 12) ?? '', result].filter((word) => word !== '').join('  '),
      ...(detail === undefined ? [] : [`    ${detail}`]),
      ...(changes ?? []).map((change) => `    ${change}`),
    ])
    .join('\n');
}
