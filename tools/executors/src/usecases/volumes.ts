import type { Command, CommandResult } from '../engine/command.ts';
import { type Instance, type Pool, rootPool } from '../platforms/incus/facts.ts';
import { foundInIncus, type InstanceSnapshots } from '../platforms/incus/snapshots.ts';
import { datasetOf } from '../platforms/zfs/dataset.ts';
import { datasetsCommand, parseDatasets, zpoolsFact } from '../platforms/zfs/facts.ts';
import { foundOnZfs } from '../platforms/zfs/marks.ts';
import { type RestorePoints, restorePoints, type Volume } from '../snapshots/set.ts';
import { restoreSupport } from '../snapshots/support.ts';

/** Which of an environment's containers can have a restore point, and how. */
export type Coverage = {
  readonly volumes: readonly Volume[];
  /** Containers that cannot have one, and why. */
  readonly without: readonly { readonly instance: string; readonly because: string }[];
};

/**
 * The volumes that a restore point must cover, from what Incus says of its instances and pools. Pure.
 *
 * @param instances the environment's existing containers on one host: those proved ours, and those about to be adopted
 */
export function coverage(
  instances: readonly Pick<Instance, 'name' | 'project' | 'config' | 'expanded_devices'>[],
  pools: readonly Pool[],
): Coverage {
  const volumes: Volume[] = [];
  const without: Coverage['without'][number][] = [];
  for (const { name: instance, project, ...rest } of instances) {
    const pool = rootPool({ name: instance, ...rest }, pools);
    const support = restoreSupport(pool);
    const uuid = rest.config['volatile.uuid'];
    if (support.kind === 'none') without.push({ instance, because: support.because });
    else if (uuid === undefined)
      without.push({ instance, because: `${instance} has no volatile.uuid, so a snapshot of it could not be told from a copy's` });
    else if (support.kind === 'zfs')
      volumes.push({ kind: 'zfs', instance, project, uuid, pool: pool.name, dataset: datasetOf(pool, project, instance) });
    else volumes.push({ kind: 'incus', instance, project, uuid, pool: pool.name });
  }
  return { volumes, without };
}

/**
 * What to ask the host besides Incus's instances, which have their own snapshots with them: nothing, or two commands where
 * a volume is on ZFS. They may travel in any batch.
 */
export function restorePointCommands(volumes: readonly Volume[]): Command[] {
  const datasets = datasetsOf(volumes);
  return datasets.length === 0 ? [] : [zpoolsFact.command, datasetsCommand(datasets)];
}

/**
 * All restore points of the volumes.
 *
 * @param results of {@link restorePointCommands}
 * @param instances as Incus tells them, with their snapshots
 * @throws SafetyError when a pool is not imported or a dataset is not there
 */
export function parseRestorePoints(
  volumes: readonly Volume[],
  environment: string,
  results: readonly CommandResult[],
  instances: readonly InstanceSnapshots[],
): RestorePoints {
  const parts = [foundInIncus(instances, volumes, environment)];
  const [pools, datasets] = results;
  if (datasetsOf(volumes).length > 0) {
    if (pools === undefined || datasets === undefined) throw new Error('the host gave no answer about its ZFS datasets');
    parts.push(foundOnZfs(parseDatasets(datasets, datasetsOf(volumes), zpoolsFact.parse(pools)), volumes, environment));
  }
  return restorePoints(parts);
}

function datasetsOf(volumes: readonly Volume[]): string[] {
  return volumes.flatMap((volume) => (volume.kind === 'zfs' ? [volume.dataset] : []));
}
