import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from './workspace.ts';

/** The JSON that a verb printed with `--json`, among the lines of nx. */
export function jsonIn<T>(output: string): T {
  const [from, to] = [output.indexOf('\n{\n'), output.lastIndexOf('\n}\n')];
  if (from === -1 || to < from) throw new Error(`no JSON was printed: ${output}`);
  return JSON.parse(output.slice(from + 1, to + 2)) as T;
}

/** The JSON lines among the lines of nx. */
export function jsonLinesIn<T>(output: string): T[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{"'))
    .map((line) => JSON.parse(line) as T);
}

type PlannedChange = { action: string; resource: string; impact: string; before?: unknown };
type PlanFile = {
  changes: number;
  containers: {
    container: string;
    provision: PlannedChange[];
    stages: ({ stage: string; changes: PlannedChange[] } | { stage: string; knownAfter: string })[];
  }[];
};

/** What `plan` says would be done, a line a change, read from its `--out` file; that file; and how the command ended. */
export async function planned(
  workspace: Workspace,
  ...flags: readonly string[]
): Promise<{ code: number; changes: string[]; output: string; file: string }> {
  // That of an earlier plan would be taken for this one's.
  await rm(join(workspace.root, 'plan.json'), { force: true });
  const { code, output } = await workspace.nx([
    'run-many',
    '-t',
    'plan',
    `--configuration=${workspace.environment}`,
    '--output-style=static',
    '--out=plan.json',
    ...flags,
  ]);
  const file = await readFile(join(workspace.root, 'plan.json'), 'utf8').catch(() => {
    throw new Error(`no plan was written: ${output}`);
  });
  const { containers } = JSON.parse(file) as PlanFile;
  const changes = containers.flatMap(({ container, provision, stages }) =>
    [{ stage: 'provision', changes: provision }, ...stages].flatMap((stage) =>
      'changes' in stage
        ? stage.changes.map(
            ({ action, resource, impact }) =>
              `${container} ${stage.stage}: ${action} ${resource}${impact === 'none' ? '' : ` (${impact})`}`,
          )
        : [`${container} ${stage.stage}: known after ${stage.knownAfter}`],
    ),
  );
  return { code, changes, output, file };
}
