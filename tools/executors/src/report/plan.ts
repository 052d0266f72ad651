import type { Change } from '../engine/change.ts';
import { showCommand } from '../engine/command.ts';
import { showError } from '../engine/errors.ts';
import { showChange, showDifference } from '../engine/show-change.ts';
import type { ContainerPlan, Unplanned } from '../shared/plan-container.ts';

/** The plan of an environment, or of some of its containers. */
export type Plan = {
  readonly environment: string;
  readonly release: string;
  /** A sentence on the restore point that the deploy would have. */
  readonly restorePoint: string;
  readonly containers: readonly ContainerPlan[];
  /** Those that have no plan: a deploy of them is refused. */
  readonly refused: readonly Unplanned[];
};

/** How many changes a plan holds, as far as it is known. */
export function countChanges(containers: readonly ContainerPlan[]): number {
  return containers.flatMap(changesOf).length;
}

/** The plan as an operator reads it. */
export function showPlan(plan: Plan): string {
  const point = plan.restorePoint === '' ? [] : [`restore point: ${plan.restorePoint}`];
  return [...plan.containers.flatMap(showContainerPlan), ...plan.refused.flatMap(showUnplanned), ...point, summary(plan)].join('\n');
}

/** Why one has no plan, line by line. */
export function showUnplanned({ container, error }: Unplanned): string[] {
  return [
    `${container}: refused`,
    ...showError(error)
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}

/** The same for a program. */
export function jsonUnplanned({ container, error }: Unplanned): unknown {
  return { container, because: error.message, error: showError(error) };
}

/** One container's part of it, line by line. */
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

/** The plan as data for a program: commands as they would be shown, without what is fed to them. */
export function jsonPlan(plan: Plan): unknown {
  const { containers, refused } = plan;
  return {
    ...plan,
    changes: countChanges(containers),
    containers: containers.map(jsonContainerPlan),
    refused: refused.map(jsonUnplanned),
  };
}

/** One container's part of it. */
export function jsonContainerPlan(container: ContainerPlan): unknown {
  const change = ({ commands, undo, afterUndo, ...rest }: Change) => ({
    ...rest,
    commands: commands.map((command) => ('argv' in command ? showCommand(command) : `put ${command.artifact} at ${command.path}`)),
    ...(undo === undefined ? {} : { undo: undo.map(showCommand) }),
    ...(afterUndo === undefined ? {} : { afterUndo: afterUndo.map(showCommand) }),
  });
  return {
    ...container,
    provision: container.provision.map(change),
    stages: container.stages.map((stage) => ('changes' in stage ? { ...stage, changes: stage.changes.map(change) } : stage)),
  };
}

/** How much a plan changes, and what of it is felt, in a sentence. */
export function summary({ environment, containers, refused }: Pick<Plan, 'environment' | 'containers' | 'refused'>): string {
  const changes = containers.flatMap(changesOf);
  const others = refused.length === 0 ? '' : `; refused: ${refused.map(({ container }) => container).join(', ')}`;
  if (changes.length === 0)
    return others === '' ? `0 changes: ${environment} is as the settings say` : `0 changes in the rest of ${environment}${others}`;
  const felt = (['reload', 'restart', 'data-loss'] as const).flatMap((impact) => {
    const count = changes.filter((change) => change.impact === impact).length;
    return count === 0 ? [] : [`${count} with ${impact}`];
  });
  return `${changes.length} change${changes.length === 1 ? '' : 's'}${felt.length > 0 ? ` (${felt.join(', ')})` : ''} in ${environment}${others}`;
}

type Section = { name: string; changes: readonly Change[]; knownAfter?: string; warnings?: readonly string[] };

/** The stages of a plan with what is known of them, provision first. */
export function sections(container: ContainerPlan): Section[] {
  return [
    { name: 'provision', changes: container.provision },
    ...container.stages.map((stage) => ({
      name: stage.stage,
      changes: 'changes' in stage ? stage.changes : [],
      ...('knownAfter' in stage ? { knownAfter: stage.knownAfter, warnings: stage.warnings ?? [] } : {}),
    })),
  ];
}

/** All changes of one container that are known. */
export function changesOf(container: ContainerPlan): Change[] {
  return sections(container).flatMap(({ changes }) => [...changes]);
}

function changeLines(change: Change): string[] {
  const warnings = (change.warnings ?? []).map((warning) => `WARNING: ${warning}`);
  return [`    ${showChange(change)}`, ...[...showDifference(change), ...warnings].map((line) => `      ${line}`)];
}
