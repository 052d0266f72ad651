import type { AuditEntry } from '../../audit/audit.ts';
import type { CommandResult } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import { findInstance, type Instance, type InstanceFacts } from '../../engine/instance.ts';
import type { OpenHost } from '../../engine/transport.ts';
import { ownership } from '../../platforms/incus/marks.ts';
import { parseDatasets, requirePools, type ZfsListing, zpoolsFact } from '../../platforms/zfs/facts.ts';
import { keptFact, type Lineages, lineagesCommand, parseLineages } from '../../platforms/zfs/lineage.ts';
import { heedFormat } from '../../shared/format.ts';
import { placeOf } from '../../shared/guest-look.ts';
import { askFirst, type Opening } from '../../shared/host-facts.ts';
import type { Run } from '../../shared/run.ts';
import type { Target } from '../../shared/target.ts';
import { coverage, parseRestorePoints, restorePointCommands } from '../../shared/volumes.ts';
import type { KeptState } from '../../snapshots/kept.ts';
import { type RestorePoints, type Volume, zpoolOf } from '../../snapshots/set.ts';

/** A container that may be rolled back: it is there, it is ours, and restore points of it can be made. */
export type Candidate = { readonly target: Target; readonly instance: Instance; readonly volumes: readonly Volume[] };

/** What a roll-back must know of one host. */
export type RollbackView = {
  readonly host: OpenHost;
  readonly name: string;
  readonly incus: InstanceFacts;
  readonly audit: readonly AuditEntry[];
  readonly candidates: readonly Candidate[];
  readonly points: RestorePoints;
  /** All that is on the datasets; `absent` where an interrupted roll-back left the live name empty. */
  readonly listing: ZfsListing;
  /** Of the live datasets and of the preserved states. */
  readonly lineages: Lineages;
  /** Preserved states of this environment, proved by their marks and by the container's UUID. */
  readonly kept: readonly KeptState[];
};

/**
 * Looks at one host for a roll-back, in at most three round trips. Unlike the look of a deploy it also understands what
 * an interrupted roll-back left.
 *
 * @param targets the environment's containers on this host
 * @param opening done before anything is looked at: the lease
 * @param waits whether to wait for starts and stops that are under way; a look that comes after the lease says so
 * @throws SafetyError when a pool is not imported; MooringError for what is not understood
 */
export async function lookForRollback(
  run: Run,
  name: string,
  targets: readonly Target[],
  opening?: Opening,
  waits?: boolean,
): Promise<RollbackView> {
  const host = await run.host(name);
  const { audit, ...incus } = await askFirst(run, host, opening, waits);
  // Once it has begun it must come to an end, whatever the state that it brought back says.
  if (opening !== undefined || waits !== true) heedFormat(run, name, incus.instances, opening === undefined ? 'read' : 'change');
  const present = targets.flatMap((target) => {
    const instance = findInstance(incus, placeOf(target));
    return instance !== undefined && ownership(instance, run.environment.name).ours ? [{ target, instance }] : [];
  });
  const covered = coverage(
    present.map(({ instance }) => instance),
    incus,
  );
  const candidates = present.map((one) => ({
    ...one,
    volumes: covered.volumes.filter(({ instance }) => instance === one.target.instance),
  }));
  const base = { host, name, incus, audit, candidates };
  const commands = restorePointCommands(covered.volumes);
  const environment = run.environment.name;
  const datasets = covered.volumes.flatMap((volume) => volume.dataset ?? []);
  if (datasets.length === 0) {
    const points = parseRestorePoints(covered.volumes, environment, await host.run(commands), incus.instances);
    return { ...base, points, listing: new Map(), lineages: new Map(), kept: [] };
  }
  const states = keptFact(datasets.map(zpoolOf));
  const [all, ...results] = (await host.run([states.command, ...commands])) as [
    CommandResult,
    CommandResult,
    CommandResult,
    ...CommandResult[],
  ];
  const pools = zpoolsFact.parse(results[0]);
  requirePools(pools, datasets);
  const listing = parseDatasets(results[1], datasets, pools);
  const kept = states.parse(all).filter(({ mark }) => isOf(mark, environment, covered.volumes));
  const known = [...datasets, ...kept.map(({ dataset }) => dataset)];
  const [lineages] = await host.run([lineagesCommand(known)]);
  const there = covered.volumes.filter(({ dataset }) => dataset === undefined || listing.get(dataset) !== 'absent');
  return {
    ...base,
    points: parseRestorePoints(covered.volumes, environment, results, incus.instances, there),
    listing,
    lineages: parseLineages(lineages as CommandResult, known),
    kept,
  };
}

function isOf(mark: KeptState['mark'], environment: string, volumes: readonly Volume[]): boolean {
  if (mark.environment !== environment) return false;
  return volumes.some(
    ({ instance, volume, uuid, project }) =>
      mark.instance === instance && mark.volume === volume && mark.uuid === uuid && mark.project === project,
  );
}

/** The lineage of a dataset that must be there. */
export function lineageOf(view: Pick<RollbackView, 'lineages'>, dataset: string) {
  const found = view.lineages.get(dataset);
  if (found === undefined || found === 'absent') throw new SafetyError(`the dataset ${dataset} does not exist`);
  return found;
}
