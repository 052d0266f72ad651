import { showError } from '../../tools/executors/src/engine/errors.ts';
import type { RollbackOptions } from '../../tools/executors/src/executors/rollback/options.ts';
import { rollback } from '../../tools/executors/src/usecases/rollback/rollback.ts';
import type { DeployResult } from './deploy.ts';
import { ENVIRONMENT, type Process, runProcess, type Site } from './process.ts';
import type { Fate } from './world/host.ts';
import type { World } from './world/world.ts';

/** A roll-back as it is asked for. */
export type RollbackSpec = Partial<Pick<RollbackOptions, 'before' | 'to' | 'undo' | 'again' | 'inPlace' | 'discardNewer'>> & {
  /** Nx projects; the whole environment when left out. */
  readonly projects?: readonly string[];
  /** What the settings of the workspace say meanwhile. */
  readonly value: string;
};

/** `nx run <project>:rollback --yes`, as one process. */
export function rollBack(
  site: Site,
  world: World,
  { projects = ['zfs'], value, ...given }: RollbackSpec,
  fate?: Fate,
): Promise<Process<DeployResult>> {
  const flags = { undo: false, again: false, inPlace: false, discardNewer: [], yes: true, dryRun: false, json: false };
  return runProcess(
    site,
    world,
    value,
    async (root) => {
      const lines: string[] = [];
      const request = { root, environment: ENVIRONMENT, projects, options: { ...flags, ...given }, signal: new AbortController().signal };
      try {
        const { success, output } = await rollback({ ...request, print: (line) => lines.push(line) });
        return { success, output: [...lines, output].join('\n') };
      } catch (error) {
        return { success: false, output: [...lines, showError(error)].join('\n') };
      }
    },
    fate,
  );
}
