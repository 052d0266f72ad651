import { showError } from '../../tools/executors/src/engine/errors.ts';
import type { PruneOptions } from '../../tools/executors/src/executors/prune/options.ts';
import type { RollbackOptions } from '../../tools/executors/src/executors/rollback/options.ts';
import type { VerbRequest, VerbResult } from '../../tools/executors/src/executors/shared/verb.ts';
import { prune as pruneVerb } from '../../tools/executors/src/usecases/prune-verb.ts';
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
  return verb(site, world, rollback, { value, projects, options: { ...flags, ...given } }, fate);
}

/** `nx run zfs:prune`, with `--kept --destroy` where something that a roll-back left is named. */
export function prune(site: Site, world: World, destroy: readonly string[], fate?: Fate): Promise<Process<DeployResult>> {
  const options: PruneOptions = { dryRun: false, kept: destroy.length > 0, destroy: [...destroy], yes: true, json: false };
  return verb(site, world, pruneVerb, { value: 'one', projects: ['zfs'], options }, fate);
}

function verb<O>(
  site: Site,
  world: World,
  run: (request: VerbRequest<O>) => Promise<VerbResult>,
  { value, projects, options }: { value: string; projects: readonly string[]; options: O },
  fate: Fate | undefined,
): Promise<Process<DeployResult>> {
  return runProcess(
    site,
    world,
    value,
    async (root, _, said) => {
      const request = { root, environment: ENVIRONMENT, projects, options, signal: new AbortController().signal, print: () => {} };
      try {
        const { success, output } = await run(request);
        return { success, output: [...said, output].join('\n') };
      } catch (error) {
        return { success: false, output: [...said, showError(error)].join('\n') };
      }
    },
    fate,
  );
}
