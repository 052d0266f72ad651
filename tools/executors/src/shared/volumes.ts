import type { Command, CommandResult } from '../engine/command.ts';
import { MooringError } from '../engine/errors.ts';
import type { Instance, InstanceFacts, InstanceSnapshots } from '../engine/instance.ts';
import type { Attached } from '../engine/instance-platform.ts';
import { byBackend, supportOf } from '../snapshots/backend.ts';
import { memberName, type RestorePoints, restorePoints, type Volume } from '../snapshots/set.ts';
import { BACKENDS, INSTANCES } from './backends.ts';

/** Which of an environment's containers can have a restore point, and how. */
export type Coverage = {
  readonly volumes: readonly Volume[];
  /** Containers, or custom volumes of theirs, that cannot have one, and why. */
  readonly without: readonly { readonly instance: string; readonly volume?: string; readonly because: string }[];
};

type Covered = Pick<Instance, 'name' | 'project' | 'config' | 'expanded_devices'>;
/** What Incus says of its host, as far as it matters here. `instances`: all of the project, ours or not. */
type Host = Pick<InstanceFacts, 'pools' | 'projects'> & { readonly instances: readonly Pick<Instance, 'name' | 'expanded_devices'>[] };

/**
 * The volumes that a restore point must cover, from what Incus says of its instances and pools: each container's root, and the
 * custom volumes that are attached to it. One that several of them have is listed once, under the first by name. Pure.
 *
 * @param instances the environment's existing containers on one host: those proved ours, and those about to be adopted
 */
export function coverage(instances: readonly Covered[], host: Host): Coverage {
  const volumes: Volume[] = [];
  const without: Coverage['without'][number][] = [];
  for (const one of instances) {
    const { name: instance, project } = one;
    const pool = INSTANCES.rootPool(one, host.pools);
    const support = supportOf(BACKENDS, pool);
    const uuid = one.config['volatile.uuid'];
    if ('because' in support) without.push({ instance, because: support.because });
    else if (uuid === undefined)
      without.push({ instance, because: `${instance} has no volatile.uuid, so a snapshot of it could not be told from a copy's` });
    else volumes.push({ instance, project, uuid, pool: pool.name, ...support.backend.locate(pool, { instance, project }, host.projects) });
  }
  for (const one of [...instances].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const attached of INSTANCES.attachedVolumes(one)) {
      if (listed(attached, volumes, without)) continue;
      const found = customVolume(one, attached, host);
      if ('because' in found) without.push(found);
      else volumes.push(found);
    }
  }
  return { volumes, without };
}

type Without = Coverage['without'][number] & { readonly pool?: string };

function listed({ pool, volume }: Attached, volumes: readonly Volume[], without: readonly Without[]): boolean {
  return [...volumes, ...without].some((one) => one.volume === volume && one.pool === pool);
}

function customVolume(one: Covered, { pool: poolName, volume }: Attached, host: Host): Volume | Without {
  const { name: instance, project } = one;
  const no = (because: string) => ({ instance, volume, pool: poolName, because });
  const pool = host.pools.find(({ name }) => name === poolName);
  if (pool === undefined)
    throw new MooringError(`${instance} has the volume ${volume} attached, of pool ${poolName}, which this host does not list`, {
      instance,
    });
  const support = supportOf(BACKENDS, pool);
  if ('because' in support) return no(support.because);
  const uuid = one.config['volatile.uuid'];
  if (uuid === undefined) return no(`${instance} has no volatile.uuid, so a snapshot of its volumes could not be told from a copy's`);
  if (!INSTANCES.isPlainName(volume))
    return no(`the volume's name ${JSON.stringify(volume)} is not plain: letters, digits, dots, hyphens, underscores`);
  const sharedWith = host.instances
    .filter(
      (other) => other.name !== instance && INSTANCES.attachedVolumes(other).some((all) => all.pool === poolName && all.volume === volume),
    )
    .map(({ name }) => name)
    .sort();
  return {
    ...{ instance, volume, project, uuid, pool: poolName },
    ...(sharedWith.length === 0 ? {} : { sharedWith }),
    ...support.backend.locate(pool, { instance, volume, project }, host.projects),
  };
}

/** What to ask the host besides the platform's look at its instances, which has their own snapshots. It may travel in any batch. */
export function restorePointCommands(volumes: readonly Volume[]): Command[] {
  return byBackend(BACKENDS, volumes).flatMap(({ backend, own }) => backend.list(own));
}

/**
 * All restore points of the volumes.
 *
 * @param volumes those that were asked about
 * @param results of {@link restorePointCommands}
 * @param instances as Incus tells them, with their snapshots
 * @param there those of them that must be there: all, but where an interrupted roll-back left the live name empty
 * @throws SafetyError when a pool is not imported or a dataset is not there
 */
export function parseRestorePoints(
  volumes: readonly Volume[],
  environment: string,
  results: readonly CommandResult[],
  instances: readonly InstanceSnapshots[],
  there = volumes,
): RestorePoints {
  const rest = [...results];
  const parts = byBackend(BACKENDS, volumes).flatMap(({ backend, own }) => {
    const commands = backend.list(own);
    if (rest.length < commands.length) throw new Error('the host gave no answer about some restore points');
    const listed = { volumes: own, there: own.filter((volume) => there.includes(volume)), environment, instances };
    return backend.parseList(rest.splice(0, commands.length), listed);
  });
  return restorePoints(parts);
}

/** Names of what must be in a restore point; see {@link memberName}. */
export function namesOf({ volumes }: Coverage): string[] {
  return volumes.map(memberName);
}
