import { SafetyError } from '../engine/errors.ts';
import { memberName } from './set.ts';

/** What Incus's API tells of a storage pool. */
export type PoolInfo = { readonly name: string; readonly driver: string; readonly config: Readonly<Record<string, string>> };

/** How a restore point can be made on a pool. */
export type RestoreSupport =
  /** By ZFS itself: all containers of a pool in one moment. */
  | { readonly kind: 'zfs' }
  /** By Incus, one container after the other. */
  | { readonly kind: 'incus' }
  | { readonly kind: 'none'; readonly because: string };

/**
 * How restore points are made on a pool, by its driver. Incus can "snapshot" a dir pool too, but that copies files while a
 * database writes to them: what it leaves is no state that ever was.
 */
export function restoreSupport(pool: PoolInfo): RestoreSupport {
  switch (pool.driver) {
    case 'zfs':
      return { kind: 'zfs' };
    case 'btrfs':
      return { kind: 'incus' };
    case 'lvm':
      return pool.config['lvm.use_thinpool'] === 'false'
        ? { kind: 'none', because: `pool ${pool.name} is lvm without a thin pool, whose snapshots fill up and become invalid` }
        : { kind: 'incus' };
    case 'dir':
      return { kind: 'none', because: `pool ${pool.name} is a dir pool: a copy of a running database's files is not a restore point` };
    default:
      return { kind: 'none', because: `pool ${pool.name} has the driver ${pool.driver}, on which restore points were never tried` };
  }
}

/**
 * The sentence to say where no restore point can be made. Outside `local` the environment must allow it by name.
 *
 * @throws SafetyError when it does not
 */
export function acceptNoRestorePoint(
  environment: { readonly name: string; readonly allowNoRestorePoint: boolean },
  without: readonly { readonly instance: string; readonly volume?: string; readonly because: string }[],
): string | undefined {
  if (without.length === 0) return undefined;
  const reasons = [...new Set(without.map(({ because }) => because))].join('; ');
  const sentence = `NO RESTORE POINT for ${without.map(memberName).join(', ')}: ${reasons}`;
  if (environment.name === 'local' || environment.allowNoRestorePoint) return sentence;
  throw new SafetyError(`${sentence}. What a deploy breaks there could not be taken back.`, {
    next: `move it to a pool on zfs or btrfs, or accept it: "allowNoRestorePoint": true in infra/environments/${environment.name}.json`,
  });
}
