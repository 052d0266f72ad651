import { MooringError, SafetyError } from '../../engine/errors.ts';
import { nxRun } from '../../engine/nx-command.ts';
import { inStep } from '../../shared/stages.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { shortName } from '../../snapshots/name.ts';
import type { Point } from './plan.ts';

export function notThere(seen: Survey, target: PreparedContainer): SafetyError {
  const without = seen.coverage.without.find(({ instance }) => instance === target.instance);
  return new SafetyError(
    without === undefined
      ? `${target.instance} is absent or not ours: it has no restore points`
      : `${target.instance} can have no restore point: ${without.because}`,
    { next: nxRun('status', { project: target.project, environment: target.environment.name }) },
  );
}

/** The verdict first, then what led to it. */
export function notProved(error: unknown, point: Point, name: string, keep: boolean, project: string): MooringError {
  const known = inStep(error, 'drill');
  const message = `${shortName(point.set.name)} was not proved restorable: ${known.message}`;
  const study = keep
    ? `${name} is kept: incus exec ${name} --project ${project} -- bash; then: incus delete --force ${name} --project ${project}`
    : 'look at it yourself: the same command with --keep; try another restore point: --to=<name>';
  return new MooringError(
    message,
    { ...known.detail, next: known.detail.next === undefined ? study : `${known.detail.next}; ${study}` },
    error,
  );
}

/** It proved what it was to prove; only the copy could not be taken away. */
export function leftOver(error: unknown, point: Point, name: string): MooringError {
  const { message, detail } = inStep(error, 'drill');
  return new MooringError(
    `${shortName(point.set.name)} can be restored, but ${name} may be left: ${message}`,
    { ...detail, next: 'the next drill of this container takes it away' },
    error,
  );
}
