import type { AuditEntry } from '../audit/audit.ts';
import { CleanText } from '../engine/redactor.ts';
import type { LogOptions } from '../verbs/log/options.ts';
import type { Report } from './report.ts';

/** For a program, an entry a line. */
export const logReport: Report<readonly AuditEntry[], LogOptions> = {
  text: (entries) => showLog(entries),
  json: (entries, clean) => new CleanText(entries.map((entry) => clean.json(entry).text).join('\n')),
};

/** The audit log for a reader, a line an entry with its changes indented below. */
function showLog(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'the audit log is empty';
  return entries
    .flatMap(({ time, who, run, what, container, release, result, detail, changes }) => [
      [time, who, run, what, container ?? '', release?.slice(0, 12) ?? '', result].filter((word) => word !== '').join('  '),
      ...(detail === undefined ? [] : [`    ${detail}`]),
      ...(changes ?? []).map((change) => `    ${change}`),
    ])
    .join('\n');
}
