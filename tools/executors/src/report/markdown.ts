import type { Change } from '../engine/change.ts';
import { showError } from '../engine/errors.ts';
import { showCount, showDifference } from '../engine/show-change.ts';
import { type ContainerPlan, changesOf, sections, type Unplanned } from '../shared/plan-container.ts';
import { summary } from './summary.ts';
import { markdownTable } from './table.ts';

/** A plan of either tier, as far as a comment tells it. */
export type MarkdownPlan = {
  readonly environment: string;
  /** 40 hex digits; applications have none, as each deploys its branch. */
  readonly release?: string;
  /** A sentence on the restore point that the deploy would have, where there is one. */
  readonly restorePoint?: string;
  readonly containers: readonly (ContainerPlan & { readonly notes?: readonly string[] })[];
  /** Those that have no plan. */
  readonly refused: readonly Unplanned[];
};

/** GitHub takes 65,536 characters of a comment, and another tier's plan may stand beside this one. */
const LONGEST = 30_000;

/**
 * The plan as a comment of a pull request: how much, then a table of all containers, then the changes of each that has some.
 * What does not fit into a comment is left out, and said. Nothing in it can be taken for Markdown, HTML or a mention.
 */
export function markdownPlan(plan: MarkdownPlan): string {
  const { environment, release, restorePoint, containers, refused } = plan;
  const head = [
    `## Plan for ${environment}${release === undefined ? '' : ` at ${code(release.slice(0, 12))}`}`,
    `**${text(summary(plan))}**`,
    markdownTable(
      ['container', 'instance', 'changes'],
      [
        ...containers.map((one) => [text(one.container), code(one.instance), showExtent(one)]),
        ...refused.map(({ container }) => [text(container), '', '**refused**']),
      ],
    ),
    ...(restorePoint === undefined || restorePoint === '' ? [] : [`Restore point: ${text(restorePoint)}`]),
  ];
  const details = [...refused.map(showRefused), ...containers.filter((one) => !isQuiet(one)).map(showDetails)];
  return `${[...head, ...fitting(details)].join('\n\n')}\n`;
}

/** What is told of a container in the table: `2 changes, 1 with restart; more is known after config`. */
function showExtent(container: ContainerPlan): string {
  const open = sections(container).find(({ knownAfter }) => knownAfter !== undefined)?.knownAfter;
  const known = changesOf(container);
  return [known.length === 0 ? 'none' : showCount(known), ...(open === undefined ? [] : [`more is known after ${text(open)}`])].join('; ');
}

function isQuiet({ notes = [], ...container }: MarkdownPlan['containers'][number]): boolean {
  return notes.length === 0 && sections(container).every(({ changes, knownAfter }) => changes.length === 0 && knownAfter === undefined);
}

function showDetails({ notes = [], ...container }: MarkdownPlan['containers'][number]): string {
  const lines = sections(container).flatMap(({ name, changes, knownAfter, warnings = [] }) =>
    knownAfter === undefined
      ? changes.flatMap((change) => changeLines(name, change))
      : [`- **${text(name)}**: known after ${text(knownAfter)}`, ...warnings.map(warningLine)],
  );
  return [`### ${text(container.container)}`, '', ...lines, ...notes.map((note) => `- ${text(note)}`)].join('\n');
}

/** Its error line by line, each on a line of its own. */
function showRefused({ container, error }: Unplanned): string {
  return [
    `### ${text(container)}`,
    '',
    ...showError(error)
      .split('\n')
      .map((line) => `- ${text(line.trim())}`),
  ].join('\n');
}

function changeLines(stage: string, change: Change): string[] {
  const impact = change.impact === 'none' ? '' : ` (**${change.impact}**)`;
  return [
    `- **${text(stage)}**: ${change.action} ${code(change.resource)}${impact}: ${text(change.because)}`,
    ...showDifference(change).map((line) => `  - ${code(line)}`),
    ...(change.warnings ?? []).map(warningLine),
  ];
}

function warningLine(warning: string): string {
  return `  - **warning**: ${text(warning)}`;
}

/** As many parts as a comment takes, in their order, and how many were left out. */
function fitting(parts: readonly string[]): string[] {
  const first = parts.findIndex((_, i) => parts.slice(0, i + 1).join('').length > LONGEST);
  if (first === -1) return [...parts];
  const left = parts.length - first;
  return [
    ...parts.slice(0, first),
    `The changes of ${left} more ${left === 1 ? 'is' : 'are'} too long for a comment: they are in the log of the job.`,
  ];
}

/** Prose that stays what it is: no character of it is Markdown, HTML or a mention. */
function text(value: string): string {
  return oneLine(value)
    .replaceAll(/[\\`*_{}[\]<>#|~&!]/g, '\\$&')
    .replaceAll('@', '@\u200b');
}

/** A code span of any text: its fence is longer than any run of backticks in it. */
function code(value: string): string {
  const line = oneLine(value);
  const runs = [...line.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  const space = /^[ `]|[ `]$/.test(line) || line === '' ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

function oneLine(value: string): string {
  return value.replaceAll(/\r?\n|\r/g, '\\n');
}
