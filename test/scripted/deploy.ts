import { dataTasks } from '../../tools/executors/src/verbs/deploy/data.ts';
import type { DataRequest } from '../../tools/executors/src/verbs/deploy/options.ts';
import { place, world } from './host.ts';

/** The tasks of a deploy of all containers. */
export function allTasks(): DataRequest['tasks'] {
  const steps = ['snapshot', 'provision', 'configure'] as const;
  const chain = place.names.flatMap((project) =>
    steps.map((step, i) => ({
      id: `${project}:${step}`,
      project,
      step,
      dependsOn: [i === 0 ? 'zfs:snapshot' : `${project}:${steps[i - 1]}`],
    })),
  );
  return [
    { id: 'zfs:preflight', project: 'zfs', step: 'preflight', dependsOn: [] },
    { id: 'zfs:snapshot', project: 'zfs', step: 'snapshot', dependsOn: ['zfs:preflight'] },
    ...chain,
  ];
}

/** A deploy of all containers. @returns the result of each task, and all that was said */
export async function converge(
  flags: { skipTrial?: boolean } = {},
): Promise<{ results: Map<string, { success: boolean; output: string }>; printed: string }> {
  const options = {
    allowDirty: true,
    create: [],
    newHost: [],
    leaveBehind: [],
    without: [],
    adopt: [],
    dryRun: false,
    skipTrial: false,
    ...flags,
  };
  const printed: string[] = [];
  const results = new Map<string, { success: boolean; output: string }>();
  const request = {
    root: place.folder,
    world: world(),
    environment: 'local',
    runId: `run-${place.trips}`,
    tasks: allTasks(),
    projects: ['zfs', ...place.names],
    options,
    signal: new AbortController().signal,
    print: (line: string) => void printed.push(line),
  };
  for await (const { id, success, output } of dataTasks(request)) results.set(id, { success, output });
  return { results, printed: [...printed, ...[...results.values()].map(({ output }) => output)].join('\n') };
}
