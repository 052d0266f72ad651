import type { InstancePlatform } from '../engine/instance-platform.ts';
import { incusBackend } from '../platforms/incus/backend.ts';
import { incusPlatform } from '../platforms/incus/platform.ts';
import { zfsBackend } from '../platforms/zfs/backend.ts';
import type { SnapshotBackend } from '../snapshots/backend.ts';

/** All ways of making restore points that this version knows, in the order in which they are used. */
export const BACKENDS: readonly SnapshotBackend[] = [zfsBackend, incusBackend];

/** What runs the instances of data containers. */
export const INSTANCES: InstancePlatform = incusPlatform;
