import { showError } from '../../tools/executors/src/engine/errors.ts';
import type { VerbRequest, VerbResult } from '../../tools/executors/src/shared/request.ts';
import { drill as drillVerb } from '../../tools/executors/src/verbs/drill/drill.ts';
import type { DrillOptions } from '../../tools/executors/src/verbs/drill/options.ts';
import type { PlanOptions } from '../../tools/executors/src/verbs/plan/options.ts';
import type { PruneOptions } from '../../tools/executors/src/verbs/prune/options.ts';
import { prune as pruneVerb } from '../../tools/executors/src/verbs/prune/restore-points.ts';
import type { RollbackOptions } from '../../tools/executors/src/verbs/rollback/options.ts';
import { rollback } from '../../tools/executors/src/verbs/rollback/rollback.ts';
import { snapshots as snapshotsVerb } from '../../tools/executors/src/verbs/snapshots/rows.ts';
import { showCompletedRelease } from '../../tools/executors/src/verbs/status/completed-release.ts';
import {
  inventory as inventoryVerb,
  log as logVerb,
  plan as planVerb,
  status as statusVerb,
  verify as verifyVerb,
} from '../../tools/executors/src/verbs/verbs.ts';
import type { DeployResult } from './deploy.ts';
import { ENVIRONMENT, type Process, runProcess, type Site } from './process.ts';
import type { Fate } from './world/host.ts';
import type { World } from './world/world.ts';

/** A roll-back as it is asked for. */
export type RollbackSpec = Partial<
  Pick<RollbackOptions, 'before' | 'to' | 'undo' | 'again' | 'inPlace' | 'discardNewer' | 'dryRun' | 'without'>
> & {
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
  const flags = { undo: false, again: false, inPlace: false, discardNewer: [], without: [], yes: true, dryRun: false, json: false };
  return verb(site, world, rollback, { value, projects, options: { ...flags, ...given } }, fate);
}

/** `nx run zfs:prune`, with `--kept --destroy` where something that a roll-back left is named. */
export function prune(
  site: Site,
  world: World,
  destroy: readonly string[],
  fate?: Fate,
  flags: Partial<PruneOptions> = {},
): Promise<Process<DeployResult>> {
  const options: PruneOptions = {
    dryRun: false,
    kept: destroy.length > 0,
    destroy: [...destroy],
    without: [],
    yes: true,
    json: false,
    ...flags,
  };
  return verb(site, world, pruneVerb, { value: 'one', projects: ['zfs'], options }, fate);
}

/** `nx run <project>:drill`: of the newest restore point. */
export function drill(site: Site, world: World, project: string, fate?: Fate): Promise<Process<DeployResult>> {
  const options: DrillOptions = { keep: false, json: false };
  const run = (request: VerbRequest<DrillOptions>, runId: string) =>
    drillVerb(request, {
      runId,
      random: Uint8Array.of(0, world.processes >> 8, world.processes & 255),
      now: () => new Date(),
      seconds: () => performance.now() / 1000,
    });
  return verb(site, world, run, { value: 'one', projects: [project], options }, fate);
}

/** `nx run <project>:status --completed-release`. */
export function completedRelease(site: Site, world: World, project = 'zfs'): Promise<Process<DeployResult>> {
  return verb(site, world, showCompletedRelease, { value: 'one', projects: [project], options: {} }, undefined);
}

/** `nx run <project>:status`. */
export function status(site: Site, world: World, project = 'zfs'): Promise<Process<DeployResult>> {
  return verb(site, world, statusVerb, { value: 'one', projects: [project], options: { json: false, completedRelease: false } }, undefined);
}

/** `nx run <project>:verify --json`. */
export function verify(site: Site, world: World, project = 'zfs'): Promise<Process<DeployResult>> {
  return verb(site, world, verifyVerb, { value: 'one', projects: [project], options: { json: true } }, undefined);
}

/** `nx run zfs:snapshots`. */
export function snapshots(site: Site, world: World, json = false): Promise<Process<DeployResult>> {
  return verb(site, world, snapshotsVerb, { value: 'one', projects: ['zfs'], options: { json } }, undefined);
}

/** `nx run zfs:log`. */
export function log(site: Site, world: World, json = false): Promise<Process<DeployResult>> {
  return verb(site, world, logVerb, { value: 'one', projects: ['zfs'], options: { limit: 50, json } }, undefined);
}

/** `nx run zfs:inventory`. */
export function inventory(site: Site, world: World): Promise<Process<DeployResult>> {
  return verb(site, world, inventoryVerb, { value: 'one', projects: ['zfs'], options: { all: false } }, undefined);
}

/** `nx run <project>:plan`. */
export function plan(site: Site, world: World, project = 'zfs', flags: Partial<PlanOptions> = {}): Promise<Process<DeployResult>> {
  const options = {
    create: [],
    adopt: [],
    newHost: [],
    leaveBehind: [],
    without: [],
    failOnChanges: false,
    markdown: false,
    json: false,
    skipTrial: false,
    ...flags,
  };
  return verb(site, world, planVerb, { value: 'one', projects: [project], options }, undefined);
}

function verb<O>(
  site: Site,
  world: World,
  run: (request: VerbRequest<O>, runId: string) => Promise<VerbResult>,
  { value, projects, options }: { value: string; projects: readonly string[]; options: O },
  fate: Fate | undefined,
): Promise<Process<DeployResult>> {
  return runProcess(
    site,
    world,
    value,
    async (root, runId, said) => {
      const request = { root, environment: ENVIRONMENT, projects, options, signal: new AbortController().signal, print: () => {} };
      try {
        const { success, output } = await run(request, runId);
        return { success, output: [...said, output].join('\n') };
      } catch (error) {
        return { success: false, output: [...said, showError(error)].join('\n') };
      }
    },
    fate,
  );
}
