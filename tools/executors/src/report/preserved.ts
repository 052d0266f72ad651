import { shortName, shortRelease } from '../snapshots/name.ts';
import { type PreservedState, stampOf } from '../snapshots/preserved.ts';
import { showTime, sortableTime } from '../snapshots/time.ts';
import { table } from './table.ts';

/** The states that roll-backs left, as a table; nothing where there are none. */
export function showPreserved(states: readonly PreservedState[]): string {
  if (states.length === 0) return '';
  const rows = states.map(({ dataset, mark }) => [
    dataset,
    showTime(sortableTime(mark.time)),
    mark.release === undefined ? 'unknown' : shortRelease(mark.release),
    mark.failed === true ? 'a roll-back that failed' : mark.to.includes('/') ? 'an undo' : `going back to ${shortName(mark.to)}`,
    stampOf(mark.run),
  ]);
  return table(['preserved state', 'left at', 'release', 'left by', 'run'], rows);
}
