import type { Change } from '../engine/change.ts';
import { showChange, showDifference } from '../engine/show-change.ts';
import { type ContainerPlan, sections } from './plan-container.ts';

/** The plan of one container, line by line: a deploy tells it with `--dry-run` as soon as it is made, and plan for all. */
export function showContainerPlan(container: ContainerPlan): string[] {
  return [
    `${container.container} (${container.instance} on ${container.host})`,
    ...sections(container).flatMap(({ name, changes, knownAfter, warnings = [] }) => {
      if (knownAfter !== undefined)
        return [`  ${name}: known after ${knownAfter}`, ...warnings.map((warning) => `    WARNING: ${warning}`)];
      return changes.length === 0 ? [`  ${name}: no changes`] : [`  ${name}:`, ...changes.flatMap(changeLines)];
    }),
  ];
}

function changeLines(change: Change): string[] {
  const warnings = (change.warnings ?? []).map((warning) => `WARNING: ${warning}`);
  return [`    ${showChange(change)}`, ...[...showDifference(change), ...warnings].map((line) => `      ${line}`)];
}
