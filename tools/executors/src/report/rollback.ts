import { showError } from '../engine/errors.ts';
import { CleanText } from '../engine/redactor.ts';
import { showChange, showCount } from '../engine/show-change.ts';
import { shortName } from '../snapshots/name.ts';
import type { AppRolledBack, AppsRolledBack } from '../verbs/rollback/app.ts';
import type { RollbackAnswer } from '../verbs/rollback/data.ts';
import type { RollbackPlan } from '../verbs/rollback/describe.ts';
import type { RollbackOptions } from '../verbs/rollback/options.ts';
import type { RolledBack } from '../verbs/rollback/perform.ts';
import type { Report } from './report.ts';
import { table } from './table.ts';
import { showBytes } from './units.ts';

/** What rollback answers with of containers. */
export const rollbackReport: Report<RollbackAnswer, RollbackOptions, RollbackPlan> = {
  text: (answer) => [...textOf(answer), ...answer.leftOut].join('\n'),
  json(answer, clean) {
    switch (answer.state) {
      case 'nothing to do':
        return clean.json({ done: answer.done }, 2);
      case 'planned':
        return clean.json(answer.plan, 2);
      case 'declined':
        return clean.json({ declined: true }, 2);
      case 'rolled back':
        return clean.json({ ...answer.plan, done: answer.done }, 2);
    }
  },
  preview: showRollbackPlan,
};

function textOf(answer: RollbackAnswer): string[] {
  switch (answer.state) {
    case 'nothing to do':
      return [...answer.done];
    case 'planned':
      return [showRollbackPlan(answer.plan), 'dry run: nothing was changed'];
    case 'declined':
      return ['nothing was changed'];
    case 'rolled back': {
      const { plan, done, next } = answer;
      const drifted = next === undefined ? [] : ['The new state runs, with the settings of that time.', `next: ${next}`];
      return [showRolledBack(plan.environment, plan.to, done), ...drifted];
    }
  }
}

/** What rollback answers with of applications, one after the other. */
export const rollbackAppsReport: Report<AppsRolledBack, RollbackOptions> = {
  text: ({ apps, dryRun }, _, clean) =>
    new CleanText(apps.map((one) => clean.text('error' in one ? showError(one.error) : showApp(one, dryRun))).join('\n')),
  json: ({ apps }, clean) =>
    new CleanText(
      apps
        .map((one) => {
          if ('error' in one) return clean.text(showError(one.error));
          const { release, commit, changes, because } = one.value;
          return clean.json({ project: one.project, release, commit, changes: changes.map(showChange), because }, 2).text;
        })
        .join('\n'),
    ),
};

function showApp({ project, value }: AppRolledBack, dryRun: boolean): string {
  const { release, changes, because } = value;
  const count = changes.length === 0 ? 'no changes' : showCount(changes);
  return `${project}: rollback: ${count}: ${because}; release ${release} ${dryRun ? 'would be' : 'is'} live`;
}

/** The plan for a terminal. */
function showRollbackPlan(plan: RollbackPlan): string {
  const rows = plan.containers.map(({ instance, writtenSince, present, newer }) => [
    instance,
    writtenSince === undefined ? 'unknown' : showBytes(writtenSince),
    present.join('; '),
    newer.length === 0 ? '-' : newer.map(shortName).join(', '),
  ]);
  return [
    `${plan.environment}: ${plan.to}`,
    table(['container', 'written since', 'current state', 'newer snapshots (they stay with it)'], rows),
    ...plan.notes,
  ].join('\n');
}

/** How it ended. */
function showRolledBack(environment: string, to: string, done: readonly RolledBack[]): string {
  const lines = done.map(({ container, downSeconds, notes }) => `${container}: down for ${downSeconds} s; ${notes.join('; ')}`);
  return [`${environment}: ${to}: done`, ...lines].join('\n');
}
