import { type AuditEntry, readDecisive } from '../audit/audit.ts';
import type { Command, CommandResult } from '../engine/command.ts';
import { HostError, MooringError, SafetyError } from '../engine/errors.ts';
import { type Fact, factCommands, parseFacts } from '../engine/fact.ts';
import type { Desired, Health } from '../engine/service.ts';
import { bundle, unbundle } from '../hosts/bundle.ts';
import { type GuestPlace, guestBundle, unbundleGuest } from '../hosts/guest.ts';
import type { OpenHost } from '../hosts/index.ts';
import {
  type IncusFacts,
  type Instance,
  incusFacts,
  instanceFact,
  type Pool,
  poolSpace,
  rootPool,
  type Space,
} from '../platforms/incus/facts.ts';
import { ownership } from '../platforms/incus/marks.ts';
import { clientNetworks, subnetsOf } from '../platforms/incus/networks.ts';
import { addressOf, nicsOn, unreachableBy } from '../platforms/incus/nic.ts';
import { findInstance } from '../platforms/incus/provision.ts';
import { STOP_SECONDS } from '../platforms/incus/restore.ts';
import { underWay, unreadable } from '../platforms/incus/under-way.ts';
import { fileSystemsFact, leftoversOf } from '../platforms/zfs/leftovers.ts';
import type { RestorePoints } from '../snapshots/set.ts';
import { type Elsewhere, type HostView, lookElsewhere, NOWHERE } from './elsewhere.ts';
import { heedFormat, type Purpose } from './format.ts';
import type { FaultyTarget, Run, Target } from './run.ts';
import { type GuestAnswers, type GuestQuestions, guestQuestions, inStep } from './stages.ts';
import { type Coverage, coverage, parseRestorePoints, restorePointCommands } from './volumes.ts';

/** What one look at a container gave. */
export type GuestLook = {
  readonly desired: Desired<unknown>;
  readonly address: string;
  readonly answers: GuestAnswers;
  /** The probe from the host over the container's address; it never rejects. */
  readonly outside: Promise<Health | MooringError>;
};

/** What one look at a host gave. */
export type Survey = {
  readonly host: OpenHost;
  readonly incus: IncusFacts;
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
  readonly guests: ReadonlyMap<string, GuestLook | MooringError>;
};

/** A command that must come before everything else in the first round trip, and what its answer means. */
export type Opening = { readonly command: Command; check(result: CommandResult): void };

/**
 * Looks at one host in two round trips: first what is there, then what is in it.
 *
 * @param guests the containers to ask for the facts of all their stages
 * @param opening done before anything is looked at: the lease
 * @throws SafetyError before a change, where a newer tool has deployed
 */
export async function survey(
  run: Run,
  hostName: string,
  guests: readonly Target[],
  opening?: Opening,
  purpose: Purpose = opening === undefined ? 'read' : 'change',
): Promise<Survey> {
  const host = await run.host(hostName);
  const { audit, ...incus } = await askFirst(run, host, opening);
  heedFormat(run, hostName, incus.instances, purpose);
  const here = run.targets.filter((target) => target.host === hostName);
  const pools = poolsOf(incus, here);
  const present = guests.flatMap((target) => {
    const instance = findInstance(incus, placeOf(target));
    const address = instance && addressOf(instance, target.environment.network, subnetsOf(incus, target.environment.network));
    return instance?.status === 'Running' && address !== undefined && ownership(instance, run.environment.name).ours
      ? [{ target, instance, address }]
      : [];
  });
  const networks = networksOf(run, incus);
  const begun = networks instanceof MooringError ? [] : present.map((one) => beginLook(host, one, networks, incus.networks));
  const looks = begun.filter((one) => 'command' in one);
  const spaceFacts = pools.map(({ name }) => poolSpace(name));
  const faultyHere = run.faulty.filter(({ host }) => host === hostName);
  const covered = coverage(protectable(run, here, faultyHere, incus), incus);
  const pointCommands = restorePointCommands(covered.volumes);
  const anyAbsent = here.some((target) => findInstance(incus, placeOf(target)) === undefined);
  const zfsPools = anyAbsent ? pools.filter(({ driver }) => driver === 'zfs') : [];
  const leftoverFacts = zfsPools.map(fileSystemsFact);
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
  const fileSystems = take(zfsPools.length).flatMap((result, i) => (leftoverFacts[i] as Fact<string[]>).parse(result));
  const points = parseRestorePoints(covered.volumes, run.environment.name, take(pointCommands.length), incus.instances);
  const answered =
    networks instanceof MooringError
      ? present.map(({ target }) => [target.instance, networks] as const)
      : [
          ...looks.map((look, i) => [look.target.instance, finishLook(look, results[i])] as const),
          ...begun.flatMap((one) => ('error' in one ? [[one.target.instance, one.error] as const] : [])),
        ];
  const projects = incus.projects.map(({ name }) => name);
  const leftovers = new Map(
    here.map(({ instance }) => [instance, zfsPools.flatMap((pool) => leftoversOf(fileSystems, pool, projects, instance))]),
  );
  return { host, incus, audit, spaces, coverage: covered, points, leftovers, elsewhere, guests: new Map(answered) };
}

/** A host where containers are looked for that are absent on another one. */
async function viewOf(run: Run, name: string): Promise<HostView> {
  const { audit, ...incus } = await askFirst(run, await run.host(name), undefined);
  return { host: name, incus, audit };
}

/** Who may connect, or why that is not known: then no container can be asked, and the rest of the host still can. */
export function networksOf(run: Run, incus: IncusFacts): string[] | MooringError {
  try {
    return clientNetworks(incus, run.environment);
  } catch (error) {
    if (error instanceof MooringError) return error;
    throw error;
  }
}

/**
 * Looks at one container anew, in one round trip.
 *
 * @param networks as {@link clientNetworks} gives them, the environment's own first
 * @throws what its host or Incus says
 */
export async function lookAgain(host: OpenHost, target: Target, networks: readonly string[]): Promise<GuestLook> {
  const fact = instanceFact(target.incus.project, target.instance);
  const desired = target.desired(networks);
  const questions = guestQuestions(target.service, desired);
  const [instanceResult, guestResult] = await host.run([fact.command, guestBundle(placeOf(target), questions.commands)]);
  const instance = fact.parse(instanceResult as CommandResult);
  const address = addressOf(instance, target.environment.network, networks);
  if (address === undefined)
    throw new MooringError(`${target.instance} has lost its address`, {
      page: 'host',
      instance: target.instance,
      next: `incus list ${target.instance} --project ${target.incus.project}`,
    });
  const answers = questions.answers(unbundleGuest(placeOf(target), guestResult as CommandResult, questions.commands));
  return { desired, address, answers, outside: probeOutside(host, target, desired, { address, instance }) };
}

/**
 * Asks one container for its health alone, in one round trip: the facts of its stages, some of which start a server beside the live one, would
 * keep one waiting that has just begun.
 */
export function askHealth(host: OpenHost, target: Target, networks: readonly string[]): Promise<GuestLook> {
  return lookAgain(host, { ...target, service: { ...target.service, stages: [] } }, networks);
}

/** Where an instance is, for the functions that run commands in it. */
export function placeOf(target: Target): GuestPlace {
  return { instance: target.instance, project: target.incus.project };
}

/** The instances that a restore point must cover: ours, and those that are about to be adopted. */
function protectable(run: Run, targets: readonly Target[], faulty: readonly FaultyTarget[], incus: IncusFacts): Instance[] {
  const { environment } = run;
  const found = (instance: string) => findInstance(incus, { instance, project: environment.incus.project }) ?? [];
  const adopted = targets.filter((target) => run.adopts(target)).map(({ instance }) => instance);
  return [...targets, ...faulty]
    .flatMap(({ instance }) => found(instance))
    .filter((instance) => adopted.includes(instance.name) || ownership(instance, environment.name).ours);
}

/** The pools that the environment's containers of one host live on, those of absent ones by their profiles. */
export function poolsOf(incus: IncusFacts, targets: readonly Target[]): Pool[] {
  const names = targets.map((target) => {
    const instance = findInstance(incus, placeOf(target));
    if (instance !== undefined) return rootPool(instance, incus.pools).name;
    return profilePool(incus, target);
  });
  return incus.pools.filter(({ name }) => names.includes(name));
}

/** The pool that a new instance's root disk would be on: the last profile that names one wins, as in Incus. */
function profilePool(incus: IncusFacts, target: Target): string | undefined {
  const profiles = target.incus.profiles.flatMap((name) => incus.profiles?.filter((profile) => profile.name === name) ?? []);
  const roots = [...profiles.map(({ devices }) => devices), target.devices]
    .flatMap((devices) => Object.values(devices))
    .filter(({ type, path }) => type === 'disk' && path === '/');
  return roots.at(-1)?.pool;
}

/** How long Incus may take for what it is doing, in milliseconds: the longest is a stop in good order. */
const PATIENCE_MS = (STOP_SECONDS + 30) * 1000;

type First = IncusFacts & { audit: AuditEntry[] };

/**
 * The first round trip: what Incus says of itself and its instances, and the audit log. Asked again while Incus cannot tell
 * what one of the environment's instances is, so that none is taken for absent.
 *
 * @param waits whether to wait also for starts, stops and restores that are under way: a run that was killed may have left them
 * @throws SafetyError when that does not end
 */
export async function askFirst(run: Run, host: OpenHost, opening: Opening | undefined, waits = opening !== undefined): Promise<First> {
  const { project } = run.environment.incus;
  const names = [...run.targets, ...run.faulty].map(({ instance }) => instance);
  const end = performance.now() + PATIENCE_MS;
  for (let said = ''; ; ) {
    const seen = await askOnce(run, host, opening);
    const unclear = [...unreadable(seen.instances, names), ...(waits ? underWay(seen.operations, project, names) : [])].join(', ');
    if (unclear === '') return seen;
    if (performance.now() > end)
      throw new SafetyError(`what Incus tells cannot be relied on yet: ${unclear}`, {
        host: host.name,
        next: `incus operation list --project ${project}, on the host; run the same command again when that is over`,
      });
    if (unclear !== said) run.progress(`${host.name}: waiting for Incus: ${unclear}`);
    said = unclear;
    // A roll-back that takes itself back has no opening, and must not be stopped half way.
    if (opening !== undefined && run.signal.aborted) throw new MooringError(`stopped: ${String(run.signal.reason)}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function askOnce(run: Run, host: OpenHost, opening: Opening | undefined): Promise<First> {
  const facts = { ...incusFacts(run.environment.incus.project), audit: readDecisive(run.environment.name) };
  const commands = factCommands(facts);
  try {
    if (opening === undefined) return parseFacts(facts, await host.run(commands));
    const [first, rest] = await host.run([opening.command, bundle(commands)], 'sequence');
    opening.check(first as CommandResult);
    return parseFacts(facts, unbundle(rest as CommandResult, commands, host.name));
  } catch (error) {
    throw error instanceof MooringError ? error.with({ host: host.name }) : error;
  }
}

type Look = {
  target: Target;
  command: Command;
  desired: Desired<unknown>;
  address: string;
  questions: GuestQuestions;
  outside: GuestLook['outside'];
};

/** An instance and its address on the environment's network. */
type Reached = { readonly address: string; readonly instance: Instance };

/** What a service asks, or its error: that one does not know what to ask must not hide the others of its host. */
function beginLook(
  host: OpenHost,
  { target, ...reached }: Reached & { readonly target: Target },
  clients: readonly string[],
  networks: IncusFacts['networks'],
): Look | { target: Target; error: MooringError } {
  try {
    return startLook(host, target, target.desired(clients), reached, networks);
  } catch (error) {
    return { target, error: inStep(error, 'look').with({ host: target.host, instance: target.instance, page: 'services' }) };
  }
}

function startLook(host: OpenHost, target: Target, desired: Desired<unknown>, reached: Reached, networks: IncusFacts['networks']): Look {
  const questions = guestQuestions(target.service, desired);
  return {
    target,
    desired,
    address: reached.address,
    questions,
    command: guestBundle(placeOf(target), questions.commands),
    outside: probeOutside(host, target, desired, reached, networks),
  };
}

function finishLook(look: Look, result: CommandResult | undefined): GuestLook | MooringError {
  try {
    const results = unbundleGuest(placeOf(look.target), result as CommandResult, look.questions.commands);
    return {
      desired: look.desired,
      address: look.address,
      outside: look.outside,
      answers: look.questions.answers(results),
    };
  } catch (error) {
    return inStep(error, 'look').with({ host: look.target.host, instance: look.target.instance, page: 'services' });
  }
}

async function probeOutside(
  host: OpenHost,
  target: Target,
  desired: Desired<unknown>,
  { address, instance }: Reached,
  networks?: IncusFacts['networks'],
): Promise<Health | MooringError> {
  try {
    return await target.service.health.outside(desired, (port) => host.connect(address, port));
  } catch (error) {
    const failure = ofService(inStep(error, 'verify').with({ host: host.name, instance: target.instance, page: 'services' }));
    const kind = unreachableBy(nicsOn(target.environment.network, instance.expanded_devices), networks);
    if (kind === undefined) return failure;
    return failure.with({
      next: `${target.instance} is there by ${kind}, over which a host cannot reach its own containers: take a bridge`,
    });
  }
}

/** A port of a container that does not answer tells nothing of the host, which has just handed on the question. */
function ofService(error: MooringError): MooringError {
  return error instanceof HostError ? new MooringError(error.message, error.detail, error) : error;
}

/** Whether a look gave an instance's answers, and not the reason why there are none. */
export function isLook(look: GuestLook | MooringError | undefined): look is GuestLook {
  return look !== undefined && !(look instanceof MooringError);
}
