import { showError } from '../engine/errors.ts';
import { CleanText } from '../engine/redactor.ts';
import { shortName } from '../snapshots/name.ts';
import type { AppStatus } from '../verbs/status/app.ts';
import type { CompletedRelease } from '../verbs/status/completed-release.ts';
import type { EnvironmentStatus } from '../verbs/status/data.ts';
import type { StatusOptions } from '../verbs/status/options.ts';
import type { ContainerStatus } from '../verbs/status/rows.ts';
import { showIncomplete } from './incomplete.ts';
import { showPreserved } from './preserved.ts';
import type { Report } from './report.ts';
import { table } from './table.ts';

/** What status answers with of containers. With `--completed-release` the release alone, whatever the form: scripts take it as it is. */
export const statusReport: Report<EnvironmentStatus | CompletedRelease, StatusOptions> = {
  text(data) {
    if ('completedRelease' in data) return data.completedRelease;
    const { containers, kept, errors } = data;
    return [showStatus(containers), showPreserved(kept), ...errors.map(showError)].filter(Boolean).join('\n\n');
  },
  json(data, clean) {
    if ('completedRelease' in data) return new CleanText(clean.text(data.completedRelease));
    const { environment, containers, kept } = data;
    return clean.json({ environment, containers, kept }, 2);
  },
};

/** What status answers with of applications. */
export const statusAppsReport: Report<{ environment: string; apps: readonly AppStatus[] }, StatusOptions> = {
  text: ({ apps }) => showAppStatus(apps),
  json: (data, clean) => clean.json(data, 2),
};

/** The table of an environment. */
function showStatus(rows: readonly ContainerStatus[]): string {
  const head = ['container', 'state', 'address', 'service', 'health', 'release', 'restore points', 'drift'];
  const cells = rows.map((row) => [
    row.instance,
    row.state,
    row.address ?? '-',
    `${row.service || '?'} ${row.version ?? '?'}`,
    row.health,
    row.release?.slice(0, 12) ?? '-',
    row.restorePoint === undefined
      ? '0'
      : [`${row.restorePoints}, newest ${shortName(row.restorePoint)}`, ...showIncomplete(row.missingElsewhere)].join(', '),
    row.drift,
  ]);
  const details = rows.flatMap(({ instance, detail }) => (detail === undefined ? [] : [`${instance}: ${detail}`]));
  return [table(head, cells), ...details].join('\n');
}

function showAppStatus(rows: readonly AppStatus[]): string {
  const head = ['application', 'guest', 'state', 'address', 'branch', 'health', 'release', 'drift'];
  const cells = rows.map((row) => [
    row.app,
    `${row.guest} (${row.vmid})`,
    row.state,
    row.address,
    row.branch,
    row.health,
    row.release ?? '-',
    row.drift,
  ]);
  return [table(head, cells), ...rows.flatMap(({ app, detail }) => (detail === undefined ? [] : [`${app}: ${detail}`]))].join('\n');
}
