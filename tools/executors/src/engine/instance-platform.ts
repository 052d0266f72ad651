import type { Change } from './change.ts';
import type { Command, CommandResult } from './command.ts';
import type { Fact, FactSet } from './fact.ts';
import type { Devices, Instance, InstanceFacts, InstancePlace, Pool, Space } from './instance.ts';
import type { Transport } from './transport.ts';

/** The instance that should be. */
export type InstanceSpec = {
  readonly instance: string;
  /** Incus project. */
  readonly project: string;
  readonly profiles: readonly string[];
  /** Image alias. */
  readonly image: string;
  /** `limits.*` without the prefix: `{ memory: '1GiB' }`. */
  readonly limits: Readonly<Record<string, string>>;
  readonly devices: Devices;
  /** The environment's Incus network. */
  readonly network: string;
  /** Whether the host can reach what is on it, of whatever kind it is. */
  readonly hostOnNetwork: boolean;
  readonly environment: string;
  /** Name of its Nx project, for messages. */
  readonly container: string;
  /** Service name, for the mark. */
  readonly service: string;
  /** Version of this tool, for the mark. */
  readonly tool: string;
};

/** What the command line allows beyond the usual. */
export type ProvisionOptions = {
  /** `--create=<name>`: create although the name is known from somewhere. */
  readonly create: readonly string[];
  /** `--adopt=<name>`: take over an instance that has no marks of ours. */
  readonly adopt: readonly string[];
  /** A new UUID, for an instance that is created. */
  readonly uuid: string;
  /** How long a start may take, in seconds. */
  readonly startSeconds: number;
};

/** Where else an instance's name is known: preserved states, datasets, the audit log. One phrase each. */
export type KnownElsewhere = readonly string[];

/** Whose an instance is. */
export type Ownership = { readonly ours: true } | { readonly ours: false; readonly because: string };

/** What an instance says of itself, by our marks. */
export type InstanceMarks = {
  readonly service: string | undefined;
  /** The release whose deploy last completed here. */
  readonly release: string | undefined;
  /** The run of a roll-back that is under way and has not come to it yet. */
  readonly rollback: string | undefined;
};

/** A network interface: its name, and the device that makes it. */
export type Nic = { readonly name: string; readonly device: Readonly<Record<string, string>> };

/** A custom volume that an instance has attached. */
export type Attached = { readonly pool: string; readonly volume: string };

/** An instance that was last deployed in a format which this tool does not know. */
export type Newer = {
  readonly instance: string;
  /** As its mark says it. */
  readonly format: string;
  /** The tool that wrote it, as its mark says it. */
  readonly tool: string | undefined;
};

/** Throw-away instances, each a copy of a container's snapshot. No other verb takes one for a container. */
export type DrillInstances = {
  /** @param random 3 bytes */
  nameOf(instance: string, random: Uint8Array): string;
  /** Those of a container that are there. */
  of(instances: readonly Instance[], environment: string, instance: string): LeftDrill[];
  /** The devices of the live instance that the copy does without. */
  leftOut(live: Instance): string[];
  start(name: string, project: string): Command;
  /** Until systemd answers in it. */
  waitUntilUp(name: string, project: string, seconds: number): Command;
  /** Asked inside: the units of a service that have failed. */
  failedUnits(unit: string): Command;
  stop(name: string, project: string, seconds: number): Command;
};

/** A throw-away instance; `kept` is one that is left for study. */
export type LeftDrill = { readonly name: string; readonly run: string; readonly snapshot: string; readonly kept: boolean };

/**
 * What runs instances on a host. All of it is pure: it gives facts, commands and changes, and reads what was answered; the caller puts those
 * of all containers of a host into one round trip.
 */
export type InstancePlatform = {
  /** Everything that a deploy must know of a host, for one project. */
  hostFacts(project: string): FactSet<InstanceFacts>;
  /** One instance. Its parser throws when it is not there. */
  instanceFact(project: string, name: string): Fact<Instance>;
  poolSpace(pool: string): Fact<Space>;
  /** Instances of which the platform cannot tell what they are now, a phrase each. */
  unreadable(instances: readonly Pick<Instance, 'name' | 'status'>[], names: readonly string[]): string[];
  /** What it is doing to instances that changes what it will tell of them, a phrase each. */
  underWay(operations: InstanceFacts['operations'], project: string, names: readonly string[]): string[];

  ownership(instance: Instance, environment: string): Ownership;
  marksOf(instance: Pick<Instance, 'config'>): InstanceMarks;
  newerOf(instances: readonly Pick<Instance, 'name' | 'config'>[]): Newer[];
  markDeployed(place: InstancePlace, release: string, tool: string): Command;
  /** The release that a state is of; nothing takes the mark away. */
  markRelease(place: InstancePlace, release: string | undefined): Command;
  /** That a roll-back is under way and has not come to the instance yet; nothing takes the mark away, as a restored configuration does. */
  markRollback(place: InstancePlace, run: string | undefined): Command;

  /** The pool of the root disk. @throws MooringError when there is none */
  rootPool(instance: Pick<Instance, 'name' | 'expanded_devices'>, pools: readonly Pool[]): Pool;
  attachedVolumes(instance: Pick<Instance, 'expanded_devices'>): Attached[];
  /** Whether a volume's name can be told from an option and from other names. */
  isPlainName(name: string): boolean;

  /** The networks (CIDR) from which clients may come. @throws InputError when that is not known */
  clientNetworks(
    facts: Pick<InstanceFacts, 'networks'>,
    environment: { readonly name: string; readonly network: string; readonly clients: readonly string[] },
  ): string[];
  subnetsOf(facts: Pick<InstanceFacts, 'networks'>, network: string): string[];
  addressOf(instance: Instance, network: string, subnets: readonly string[]): string | undefined;
  nicsOn(network: string, devices: Devices): Nic[];
  /** The kind of interface through which a host cannot reach its own instances, where all are of one. */
  unreachableBy(nics: readonly Nic[], networks: InstanceFacts['networks']): string | undefined;

  /** What must be done so that the instance is there, runs and is as it should be. @throws SafetyError */
  planInstance(facts: InstanceFacts, spec: InstanceSpec, elsewhere: KnownElsewhere, options: ProvisionOptions): Change[];
  startInstance(place: InstancePlace, seconds: number, nics: readonly Nic[]): Command[];
  waitUntilUp(place: InstancePlace, seconds: number, nics: readonly Nic[]): Command;
  /** Stops it in good order; fails when it has not stopped by itself within {@link stopSeconds}. */
  stopInstance(place: InstancePlace): Command;
  readonly stopSeconds: number;
  /** Takes away the record of a snapshot that is not there any more. Before the dataset was exchanged, this destroys it. */
  forgetSnapshot(place: InstancePlace, name: string): Command;

  readonly drills: DrillInstances;

  /** A command, run inside. */
  inside(place: InstancePlace, command: Command): Command;
  bundleInside(place: InstancePlace, commands: readonly Command[], order?: 'parallel' | 'sequence'): Command;
  unbundleInside(place: InstancePlace, result: CommandResult, commands: readonly Command[]): CommandResult[];
  transportInside(parent: Transport, place: InstancePlace): Transport;
};
