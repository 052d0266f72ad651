import type { InstancePlatform } from '../../engine/instance-platform.ts';
import { incusDrills } from './drill.ts';
import { incusFacts, instanceFact, poolSpace, rootPool } from './facts.ts';
import { newerOf } from './format.ts';
import { inInstance, instanceBundle, instanceTransport, unbundleInstance } from './inside.ts';
import { mark, markDeployed, ownership } from './marks.ts';
import { clientNetworks, subnetsOf } from './networks.ts';
import { addressOf, nicsOn, unreachableBy } from './nic.ts';
import { planInstance } from './provision.ts';
import { forgetSnapshot, ROLLBACK_KEY, STOP_SECONDS, setKey, stopInstance } from './restore.ts';
import { startInstance, waitUntilUp } from './start.ts';
import { underWay, unreadable } from './under-way.ts';
import { attachedVolumes, isPlainName } from './volumes.ts';

/** Instances of Incus. */
export const incusPlatform: InstancePlatform = {
  hostFacts: incusFacts,
  ...{ instanceFact, poolSpace, unreadable, underWay },
  ...{ ownership, newerOf, markDeployed },
  marksOf: ({ config }) => ({ service: config[mark.service], release: config[mark.release], rollback: config[ROLLBACK_KEY] }),
  markRelease: (place, release) => setKey(place, mark.release, release ?? ''),
  markRollback: (place, run) => setKey(place, ROLLBACK_KEY, run ?? ''),
  ...{ rootPool, attachedVolumes, isPlainName },
  ...{ clientNetworks, subnetsOf, addressOf, nicsOn, unreachableBy },
  ...{ planInstance, startInstance, waitUntilUp, stopInstance, forgetSnapshot },
  stopSeconds: STOP_SECONDS,
  drills: incusDrills,
  inside: inInstance,
  bundleInside: instanceBundle,
  unbundleInside: unbundleInstance,
  transportInside: instanceTransport,
};
