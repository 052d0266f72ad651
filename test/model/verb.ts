import { showError } from '../../tools/executors/src/engine/errors.ts';
import { rendered } from '../../tools/executors/src/executors/shared/answer.ts';
import type { Tier } from '../../tools/executors/src/executors/shared/verb.ts';
import { drillReport } from '../../tools/executors/src/report/drill.ts';
import { inventoryReport } from '../../tools/executors/src/report/inventory.ts';
import { logReport } from '../../tools/executors/src/report/log.ts';
import { planReport } from '../../tools/executors/src/report/plan.ts';
import { pruneReport } from '../../tools/executors/src/report/prune.ts';
import { rollbackReport } from '../../tools/executors/src/report/rollback.ts';
import { snapshotsReport } from '../../tools/executors/src/report/snapshots.ts';
import { statusReport } from '../../tools/executors/src/report/status.ts';
import { verifyReport } from '../../tools/executors/src/report/verify.ts';
import { drill as drillVerb } from '../../tools/executors/src/verbs/drill/index.ts';
import type { DrillOptions } from '../../tools/executors/src/verbs/drill/options.ts';
import { inventory as inventoryVerb } from '../../tools/executors/src/verbs/inventory/data.ts';
import { log as logVerb } from '../../tools/executors/src/verbs/log/index.ts';
import { plan as planVerb } from '../../tools/executors/src/verbs/plan/data.ts';
import type { PlanOptions } from '../../tools/executors/src/verbs/plan/options.ts';
import { prune as pruneVerb } from '../../tools/executors/src/verbs/prune/index.ts';
import type { PruneOptions } from '../../tools/executors/src/verbs/prune/options.ts';
import { rollback } from '../../tools/executors/src/verbs/rollback/data.ts';
import type { RollbackOptions } from '../../tools/executors/src/verbs/rollback/options.ts';
import { snapshots as snapshotsVerb } from '../../tools/executors/src/verbs/snapshots/index.ts';
import { readCompletedRelease } from '../../tools/executors/src/verbs/status/completed-release.ts';
import { status as statusVerb } from '../../tools/executors/src/verbs/status/data.ts';
import { verify as verifyVerb } from '../../tools/executors/src/verbs/verify/data.ts';
import type { DeployResult } from './deploy.ts';
import { type Process, runProcess, type Site } from './process.ts';
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
  return verb(site, world, { verb: rollback, report: rollbackReport }, { value, projects, options: { ...flags, ...given } }, fate);
}

/** `nx run zfs:prune`, with `--preserved --destroy` where something that a roll-back left is named. */
export function prune(
  site: Site,
  world: World,
  destroy: readonly string[],
  fate?: Fate,
  flags: Partial<PruneOptions> = {},
): Promise<Process<DeployResult>> {
  const options: PruneOptions = {
    dryRun: false,
    preserved: destroy.length > 0,
    kept: false,
    destroy: [...destroy],
    without: [],
    yes: true,
    json: false,
    ...flags,
  };
  return verb(site, world, { verb: pruneVerb, report: pruneReport }, { value: 'one', projects: ['zfs'], options }, fate);
}

/** `nx run <project>:drill`: of the newest restore point. */
export function drill(site: Site, world: World, project: string, fate?: Fate): Promise<Process<DeployResult>> {
  const options: DrillOptions = { keep: false, json: false };
  return verb(site, world, { verb: drillVerb, report: drillReport }, { value: 'one', projects: [project], options }, fate);
}

/** `nx run <project>:status --completed-release`. */
export function completedRelease(site: Site, world: World, project = 'zfs'): Promise<Process<DeployResult>> {
  const options = { json: false, completedRelease: true };
  return verb(site, world, { verb: readCompletedRelease, report: statusReport }, { value: 'one', projects: [project], options }, undefined);
}

/** `nx run <project>:status`. */
export function status(site: Site, world: World, project = 'zfs'): Promise<Process<DeployResult>> {
  return verb(
    site,
    world,
    { verb: statusVerb, report: statusReport },
    { value: 'one', projects: [project], options: { json: false, completedRelease: false } },
    undefined,
  );
}

/** `nx run <project>:verify --json`. */
export function verify(site: Site, world: World, project = 'zfs'): Promise<Process<DeployResult>> {
  return verb(
    site,
    world,
    { verb: verifyVerb, report: verifyReport },
    { value: 'one', projects: [project], options: { json: true } },
    undefined,
  );
}

/** `nx run zfs:snapshots`. */
export function snapshots(site: Site, world: World, json = false): Promise<Process<DeployResult>> {
  return verb(
    site,
    world,
    { verb: snapshotsVerb, report: snapshotsReport },
    { value: 'one', projects: ['zfs'], options: { json } },
    undefined,
  );
}

/** `nx run zfs:log`. */
export function log(site: Site, world: World, json = false): Promise<Process<DeployResult>> {
  return verb(
    site,
    world,
    { verb: logVerb, report: logReport },
    { value: 'one', projects: ['zfs'], options: { limit: 50, json } },
    undefined,
  );
}

/** `nx run zfs:inventory`. */
export function inventory(site: Site, world: World): Promise<Process<DeployResult>> {
  return verb(
    site,
    world,
    { verb: inventoryVerb, report: inventoryReport },
    { value: 'one', projects: ['zfs'], options: { all: false } },
    undefined,
  );
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
  return verb(site, world, { verb: planVerb, report: planReport }, { value: 'one', projects: [project], options }, undefined);
}

function verb<O extends object, T, P>(
  site: Site,
  world: World,
  tier: Tier<O, T, P>,
  { value, projects, options }: { value: string; projects: readonly string[]; options: O },
  fate: Fate | undefined,
): Promise<Process<DeployResult>> {
  return runProcess(
    site,
    world,
    value,
    async (given, said) => {
      const { report } = tier;
      try {
        const answer = await tier.verb({
          ...{ ...given, projects, options, ask: undefined },
          preview: (data, clean) => said.push(clean.text(report.preview?.(data) ?? '')),
        });
        const { success, output, beside } = rendered(report, answer, options, 'json' in options && options.json === true);
        return { success, output: [...said, ...beside, output].join('\n') };
      } catch (error) {
        return { success: false, output: [...said, showError(error)].join('\n') };
      }
    },
    fate,
  );
}
