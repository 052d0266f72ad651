import type { Change } from '../engine/change.ts';
import { showCommand } from '../engine/command.ts';
import { showError } from '../engine/errors.ts';
import { type ContainerPlan, countChanges, type Plan, type Unplanned } from '../shared/plan-container.ts';
import { showContainerPlan } from '../shared/show-plan.ts';
import type { AppPlan, AppsPlan } from '../verbs/plan/app.ts';
import type { PlanOptions } from '../verbs/plan/options.ts';
import { markdownPlan } from './markdown.ts';
import type { Report } from './report.ts';
import { summary } from './summary.ts';

/** What plan answers with of containers; with `--markdown` as a comment of a pull request. */
export const planReport: Report<Plan, PlanOptions> = {
  text: (plan, { markdown }) => (markdown ? markdownPlan(plan) : showPlan(plan)),
  json: (plan, clean) => clean.json(jsonPlan(plan), 2),
  mode: 0o600,
};

/** The same of applications. */
export const planAppsReport: Report<AppsPlan, PlanOptions> = {
  text({ environment, apps, refused }, { markdown }) {
    const containers = apps.map((plan) => ({ ...plan, notes: appNotes(plan) }));
    if (markdown) return markdownPlan({ environment, containers, refused });
    return [
      ...containers.flatMap((one) => [...showContainerPlan(one), ...one.notes.map((note) => `  ${note}`)]),
      ...refused.flatMap(showUnplanned),
      summary({ environment, containers, refused }),
    ].join('\n');
  },
  json: ({ environment, apps, refused }, clean) =>
    clean.json({ environment, changes: countChanges(apps), apps: apps.map(jsonContainerPlan), refused: refused.map(jsonUnplanned) }, 2),
  mode: 0o600,
};

function appNotes({ address, refused }: AppPlan): string[] {
  return [`address: ${address}`, ...refused.map((message) => `would be refused: ${message}`)];
}

/** The plan as an operator reads it. */
export function showPlan(plan: Plan): string {
  const point = plan.restorePoint === '' ? [] : [`restore point: ${plan.restorePoint}`];
  return [...plan.containers.flatMap(showContainerPlan), ...plan.refused.flatMap(showUnplanned), ...point, summary(plan)].join('\n');
}

/** Why one has no plan, line by line. */
function showUnplanned({ container, error }: Unplanned): string[] {
  return [
    `${container}: refused`,
    ...showError(error)
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}

/** The same for a program. */
function jsonUnplanned({ container, error }: Unplanned): unknown {
  return { container, because: error.message, error: showError(error) };
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
function jsonContainerPlan(container: ContainerPlan): unknown {
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
