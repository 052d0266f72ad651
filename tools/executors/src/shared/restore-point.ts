import { decide } from '../snapshots/decide.ts';
import { deployHistory } from '../snapshots/history.ts';
import { notOneMoment } from '../snapshots/moment.ts';
import { acceptNoRestorePoint } from '../snapshots/support.ts';
import type { Run } from './run.ts';
import type { Survey } from './survey.ts';
import { namesOf } from './volumes.ts';

/** What a deploy of this release would do about a restore point on one host: a sentence each. Changes nothing. */
export function foreseeRestorePoint(run: Pick<Run, 'environment'>, seen: Survey, release: string, anyChange: boolean): string[] {
  const warning = acceptNoRestorePoint(run.environment, seen.coverage.without);
  const decision = decide({
    release,
    runId: '',
    points: seen.points,
    history: deployHistory(seen.audit),
    existing: namesOf(seen.coverage),
    anyChangePlanned: anyChange,
  });
  const verb = { reuse: 'would be reused', cut: 'would be cut', lazy: 'none would be cut', nothing: 'none' }[decision.kind];
  const moment = decision.kind === 'cut' ? notOneMoment(seen.coverage.volumes) : [];
  return [...(warning === undefined ? [] : [warning]), `${verb}: ${decision.because}`, ...moment];
}
