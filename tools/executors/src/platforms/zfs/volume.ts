import type { SetMember, Volume } from '../../snapshots/set.ts';

/** The key by which volumes and members on ZFS are known. */
export const ZFS = 'zfs';

/** A volume that is a dataset. */
export type ZfsVolume = Volume & { readonly dataset: string };

/** A snapshot of a dataset. */
export type ZfsMember = SetMember & { readonly dataset: string };

/** A volume or member that this backend was given. @throws RangeError when it is of another one */
export function onZfs<T extends Volume | SetMember>(item: T): T & { readonly dataset: string } {
  if (isOnZfs(item)) return item;
  throw new RangeError(`${item.instance} is not on ZFS`);
}

function isOnZfs<T extends Volume | SetMember>(item: T): item is T & { readonly dataset: string } {
  return item.kind === ZFS && item.dataset !== undefined;
}
