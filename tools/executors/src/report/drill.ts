import type { CensusEntry } from '../engine/service.ts';
import { shortName, shortRelease } from '../snapshots/name.ts';
import { showTime } from '../snapshots/time.ts';
import type { Drilled, DrillReport } from '../verbs/drill/drilled.ts';
import type { DrillOptions } from '../verbs/drill/options.ts';
import type { Report } from './report.ts';

/** What drill answers with. */
export const drillReport: Report<Drilled, DrillOptions> = {
  text: ({ report, project }) => showDrill(report, project),
  json: ({ report }, clean) => clean.json(report, 2),
};

/** A terminal shows so many; all are in the JSON. */
const SHOWN = 25;

/** A drill that passed, for a reader. */
function showDrill(report: DrillReport, project: string): string {
  const { container, snapshot, cutAt, age, release, service, version, health, census, proves, seconds, without, notes } = report;
  const when = `cut ${showTime(cutAt)}, ${showAge(age)} ago, ${snapshot.startsWith('pre-rollback-') ? 'by going back to before' : 'before'} ${shortRelease(release)}`;
  const steps = [
    ['clone', seconds.clone],
    ['start', seconds.start],
    ['healthy', seconds.health],
    ['counted', seconds.census],
    ['stop', seconds.stop],
    ['removed', seconds.remove],
  ] as const;
  const entries = census ?? [];
  return [
    `${container}: ${shortName(snapshot)} can be restored (${when})`,
    `  ${service} ${version} is healthy (${health}, from inside)`,
    ...(census === undefined ? [`  ${service} has no way to count what it holds: that it is healthy is all that is proved`] : []),
    ...(census?.length === 0 ? ['  it holds nothing'] : []),
    ...entries.slice(0, SHOWN).map((entry) => `  ${showEntry(entry)}`),
    ...(entries.length > SHOWN ? [`  … and ${entries.length - SHOWN} more (--json has all)`] : []),
    ...(proves === undefined ? [] : [`  proved: ${proves}`]),
    ...(without.length === 0 ? [] : [`  left out: ${without.join('; ')}`]),
    `  took: ${steps.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value.toFixed(1)} s`])).join(', ')}`,
    `  a real roll-back would take about ${Math.ceil(report.rollback)} s: stop ${seconds.stop.toFixed(1)}, swap ${seconds.clone.toFixed(1)}, start ${seconds.start.toFixed(1)}, healthy ${seconds.health.toFixed(1)} (as of the copy)`,
    ...(report.kept ? [`  ${report.drill} was kept for study, stopped; remove it: incus delete ${report.drill} --project ${project}`] : []),
    ...notes.map((note) => `  ${note}`),
  ].join('\n');
}

function showEntry({ kind, name, count, of, bytes, estimated }: CensusEntry): string {
  const size = bytes === undefined ? '' : `, ${showBytes(bytes)}`;
  return `${kind} ${name}: ${estimated ? 'about ' : ''}${count} ${of}${size}`;
}

function showBytes(bytes: number): string {
  const [unit, size] = (
    [
      ['GiB', 2 ** 30],
      ['MiB', 2 ** 20],
      ['KiB', 2 ** 10],
    ] as const
  ).find(([, least]) => bytes >= least) ?? ['bytes', 1];
  return `${size === 1 ? bytes : (bytes / size).toFixed(1)} ${unit}`;
}

function showAge(seconds: number): string {
  const [count, unit] =
    seconds < 120
      ? [seconds, 's']
      : seconds < 7200
        ? [seconds / 60, 'min']
        : seconds < 172_800
          ? [seconds / 3600, 'h']
          : [seconds / 86_400, 'days'];
  return `${Math.round(count as number)} ${unit}`;
}
