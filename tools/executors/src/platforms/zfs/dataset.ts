import { SafetyError } from '../../engine/errors.ts';
import type { PoolInfo } from '../../snapshots/backend.ts';

/**
 * The dataset of a container, from what Incus's API tells of its pool: `<zfs.pool_name>/containers/<name>`, in another
 * project than `default` `<project>_<name>` (seen on Incus 6.0.4 and 7.0.2). Never found by searching for the name:
 * `veza-redis` is in `veza-redis-old`.
 *
 * @throws SafetyError when the pool does not say what its dataset is
 */
export function datasetOf(pool: PoolInfo, project: string, instance: string): string {
  return `${rootOf(pool)}/containers/${project === 'default' ? '' : `${project}_`}${instance}`;
}

/**
 * The dataset of a custom volume: `<zfs.pool_name>/custom/<project>_<volume>`, with the project in any case (Incus
 * `project.StorageVolume`).
 *
 * @param project the one that the volume is in; see `volumeProject`
 * @throws SafetyError when the pool does not say what its dataset is
 */
export function customDatasetOf(pool: PoolInfo, project: string, volume: string): string {
  return `${rootOf(pool)}/custom/${project}_${volume}`;
}

function rootOf(pool: PoolInfo): string {
  const root = pool.config['zfs.pool_name'];
  if (pool.driver !== 'zfs' || root === undefined || root === '') {
    throw new SafetyError(`Incus does not report the dataset of pool ${pool.name} (driver ${pool.driver})`, {
      next: `incus query /1.0/storage-pools/${pool.name}`,
    });
  }
  return root;
}
