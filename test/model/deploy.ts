import { dataTasks } from '../../tools/executors/src/verbs/deploy/data.ts';
import type { DataRequest } from '../../tools/executors/src/verbs/deploy/options.ts';
import { CONTAINERS, type Given, type Process, runProcess, type Site } from './process.ts';
import type { Fate } from './world/host.ts';
import type { World } from './world/world.ts';

/** A deploy as it is asked for. */
export type DeploySpec = {
  /** 40 hex digits. */
  readonly release: string;
  /** What the settings of the release say. */
  readonly value: string;
  /** Containers that may be taken over. */
  readonly adopt?: readonly string[];
  /** `--create`, `--new-host`, `--without`. */
  readonly create?: readonly string[];
  readonly newHost?: readonly string[];
  readonly without?: readonly string[];
  /** Containers that it is about; all when left out. */
  readonly projects?: readonly string[];
  /** The task graph's last step; `configure` when left out. */
  readonly upTo?: 'snapshot' | 'configure';
};

/** How the tasks of a deploy ended. */
export type DeployResult = { readonly success: boolean; readonly output: string };

/** A release that reads well: forty times one hex digit. */
export function sha(digit: string): string {
  return digit.repeat(40);
}

/** `nx run-many -t configure` (or `nx run zfs:snapshot`), as one process. */
export function deploy(site: Site, world: World, spec: DeploySpec, fate?: Fate): Promise<Process<DeployResult>> {
  return runProcess(
    site,
    world,
    spec.value,
    async (given, outputs) => {
      let success = true;
      for await (const result of dataTasks(requestOf(spec, given))) {
        success &&= result.success;
        outputs.push(result.output);
      }
      return { success, output: outputs.join('\n') };
    },
    fate,
  );
}

function requestOf({ upTo = 'configure', projects = CONTAINERS, ...spec }: DeploySpec, given: Given): DataRequest {
  const asked = ['zfs', ...projects];
  const tasks = (upTo === 'snapshot' ? TASKS.slice(0, 2) : TASKS).filter(({ project }) => asked.includes(project));
  const { release, adopt = [], create = [], newHost = [], without = [] } = spec;
  return {
    ...{ ...given, tasks, projects: upTo === 'snapshot' ? ['zfs'] : asked },
    options: {
      ...{ release, allowDirty: false, dryRun: false, skipTrial: false },
      ...{ adopt: [...adopt], create: [...create], newHost: [...newHost], without: [...without], leaveBehind: [] },
    },
  };
}

const STEPS = ['snapshot', 'provision', 'configure'] as const;
const TASKS: DataRequest['tasks'] = [
  { id: 'zfs:preflight', project: 'zfs', step: 'preflight', dependsOn: [] },
  { id: 'zfs:snapshot', project: 'zfs', step: 'snapshot', dependsOn: ['zfs:preflight'] },
  ...CONTAINERS.flatMap((project) =>
    STEPS.map((step, i) => ({
      id: `${project}:${step}`,
      project,
      step,
      dependsOn: [i === 0 ? 'zfs:snapshot' : `${project}:${STEPS[i - 1]}`],
    })),
  ),
];
