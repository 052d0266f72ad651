import type { AuditEntry } from '../audit/audit.ts';
import type { CommandResult } from '../engine/command.ts';
import { MooringError } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { findInstance, type Instance, type InstanceFacts, type Pool, type Space } from '../engine/instance.ts';
import type { OpenHost } from '../engine/transport.ts';
import type { RestorePoints } from '../snapshots/set.ts';
import { BACKENDS, INSTANCES } from './backends.ts';
import { type Elsewhere, type HostView, lookElsewhere, NOWHERE } from './elsewhere.ts';
import { heedFormat, type Purpose } from './format.ts';
import { askFirst, type Opening } from './host-facts.ts';
import { beginLook, finishLook, type InstanceLook, placeOf } from './instance-look.ts';
import type { Invocation } from './run.ts';
import type { FaultyContainer, PreparedContainer } from './target.ts';
import { type Coverage, coverage, parseRestorePoints, restorePointCommands } from './volumes.ts';

/** What one look at a host gave. */
export type Survey = {
  readonly host: OpenHost;
  readonly incus: InstanceFacts;
  /** What decisions need of the audit log. */
  readonly audit: readonly AuditEntry[];
  /** Space of the pools that the environment's containers live on, by pool. */
  readonly spaces: ReadonlyMap<string, Space>;
  /** Which of the environment's containers here can have a restore point. */
  readonly coverage: Coverage;
  /** The restore points that there are. */
  readonly points: RestorePoints;
  /** By instance, for those that Incus does not list: file systems that hold their data all the same. */
  readonly leftovers: ReadonlyMap<string, readonly string[]>;
  /** Where those that are absent here may be. */
  readonly elsewhere: Elsewhere;
  /** By instance; one that does not run, or is not ours, is not in it. */
  readonly instances: ReadonlyMap<string, InstanceLook | MooringError>;
};

/**
 * Looks at one host in two round trips: first what is there, then what is in it.
 *
 * @param asked the containers to ask for the facts of all their stages
 * @param opening done before anything is looked at: the lease
 * @throws SafetyError before a change, where a newer tool has deployed
 */
export async function survey(
  run: Invocation,
  hostName: string,
  asked: readonly PreparedContainer[],
  opening?: Opening,
  purpose: Purpose = opening === undefined ? 'read' : 'change',
): Promise<Survey> {
  const host = await run.host(hostName);
  const { audit, ...incus } = await askFirst(run, host, opening);
  heedFormat(run, hostName, incus.instances, purpose);
  const here = run.targets.filter((target) => target.host === hostName);
  const pools = poolsOf(incus, here);
  const present = asked.flatMap((target) => {
    const instance = findInstance(incus, placeOf(target));
    const address =
      instance && INSTANCES.addressOf(instance, target.environment.network, INSTANCES.subnetsOf(incus, target.environment.network));
    return instance?.status === 'Running' && address !== undefined && INSTANCES.ownership(instance, run.environment.name).ours
      ? [{ target, instance, address }]
      : [];
  });
  const networks = networksOf(run, incus);
  const begun = networks instanceof MooringError ? [] : present.map((one) => beginLook(host, one, networks, incus.networks));
  const looks = begun.filter((one) => 'command' in one);
  const spaceFacts = pools.map(({ name }) => INSTANCES.poolSpace(name));
  const faultyHere = run.faulty.filter(({ host }) => host === hostName);
  const covered = coverage(protectable(run, here, faultyHere, incus), incus);
  const pointCommands = restorePointCommands(covered.volumes);
  const anyAbsent = here.some((target) => findInstance(incus, placeOf(target)) === undefined);
  const leftoverFacts = anyAbsent ? pools.flatMap((pool) => BACKENDS.flatMap((backend) => backend.leftovers(pool) ?? [])) : [];
  const own = { host: hostName, incus, audit };
  const [elsewhere, results] = await Promise.all([
    anyAbsent ? lookElsewhere(run, own, (name) => viewOf(run, name)) : NOWHERE,
    host.run([
      ...[...spaceFacts, ...leftoverFacts].map(({ command }) => command),
      ...pointCommands,
      ...looks.map(({ command }) => command),
    ]),
  ]);
  const take = (count: number) => results.splice(0, count);
  const spaceResults = take(pools.length);
  const spaces = new Map(pools.map(({ name }, i) => [name, (spaceFacts[i] as Fact<Space>).parse(spaceResults[i] as CommandResult)]));
  const leftoverResults = take(leftoverFacts.length);
  const leftBy = leftoverFacts.map(({ parse }, i) => parse(leftoverResults[i] as CommandResult));
  const points = parseRestorePoints(covered.volumes, run.environment.name, take(pointCommands.length), incus.instances);
  const answered =
    networks instanceof MooringError
      ? present.map(({ target }) => [target.instance, networks] as const)
      : [
          ...looks.map((look, i) => [look.target.instance, finishLook(look, results[i])] as const),
          ...begun.flatMap((one) => ('error' in one ? [[one.target.instance, one.error] as const] : [])),
        ];
  const projects = incus.projects.map(({ name }) => name);
  const leftovers = new Map(here.map(({ instance }) => [instance, leftBy.flatMap((of) => of(projects, instance))]));
  return { host, incus, audit, spaces, coverage: covered, points, leftovers, elsewhere, instances: new Map(answered) };
}

/** A host where containers are looked for that are absent on another one. */
async function viewOf(run: Invocation, name: string): Promise<HostView> {
  const { audit, ...incus } = await askFirst(run, await run.host(name), undefined);
  return { host: name, incus, audit };
}

/** Who may connect, or why that is not known: then no container can be asked, and the rest of the host still can. */
function networksOf(run: Invocation, incus: InstanceFacts): string[] | MooringError {
  try {
    return INSTANCES.clientNetworks(incus, run.environment);
  } catch (error) {
    if (error instanceof MooringError) return error;
    throw error;
  }
}

/** The instances that a restore point must cover: ours, and those that are about to be adopted. */
function protectable(
  run: Invocation,
  targets: readonly PreparedContainer[],
  faulty: readonly FaultyContainer[],
  incus: InstanceFacts,
): Instance[] {
  const { environment } = run;
  const found = (instance: string) => findInstance(incus, { instance, project: environment.incus.project }) ?? [];
  const adopted = targets.filter((target) => run.adopts(target)).map(({ instance }) => instance);
  return [...targets, ...faulty]
    .flatMap(({ instance }) => found(instance))
    .filter((instance) => adopted.includes(instance.name) || INSTANCES.ownership(instance, environment.name).ours);
}

/** The pools that the environment's containers of one host live on, those of absent ones by their profiles. */
export function poolsOf(incus: InstanceFacts, targets: readonly PreparedContainer[]): Pool[] {
  const names = targets.map((target) => {
    const instance = findInstance(incus, placeOf(target));
    if (instance !== undefined) return INSTANCES.rootPool(instance, incus.pools).name;
    return profilePool(incus, target);
  });
  return incus.pools.filter(({ name }) => names.includes(name));
}

/** The pool that a new instance's root disk would be on: the last profile that names one wins, as in Incus. */
function profilePool(incus: InstanceFacts, target: PreparedContainer): string | undefined {
  const profiles = target.incus.profiles.flatMap((name) => incus.profiles?.filter((profile) => profile.name === name) ?? []);
  const roots = [...profiles.map(({ devices }) => devices), target.devices]
    .flatMap((devices) => Object.values(devices))
    .filter(({ type, path }) => type === 'disk' && path === '/');
  return roots.at(-1)?.pool;
}
