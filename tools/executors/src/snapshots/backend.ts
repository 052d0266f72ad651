import type { Command, CommandResult } from '../engine/command.ts';
import type { MooringError } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import type { Instance, InstanceFacts, InstancePlace, InstanceSnapshots, Pool } from '../engine/instance.ts';
import type { LeftDrill } from '../engine/instance-platform.ts';
import type { DrillSpec } from './drill.ts';
import type { PreservedState } from './preserved.ts';
import type { LookBack } from './rollback.ts';
import type { Found, SetMark, SetMember, Volume } from './set.ts';

/** A pool, as far as a backend must know it. */
export type PoolInfo = Pick<Pool, 'name' | 'driver' | 'config'>;

/** Why no restore point can be made on a pool. */
export type NoSupport = {
  readonly because: string;
  /** No pool of that driver ever can: known before anything is on it. */
  readonly never?: true;
};

/** What an instance is like when it is cut. */
export type InstanceState = Pick<Instance, 'name' | 'config' | 'devices' | 'profiles'>;

/** A set that is to be cut. */
export type Cut = {
  readonly name: string;
  readonly mark: Omit<SetMark, 'intended'>;
  /** All volumes of the set, those of other backends too: they are named in the marks. */
  readonly members: readonly Volume[];
  /** As the platform tells them; what they are like now is marked where a snapshot does not keep it by itself. */
  readonly instances: readonly InstanceState[];
};

/** What the restore points of some volumes are looked for with. */
export type Listed = {
  readonly volumes: readonly Volume[];
  /** Those of them that must be there. */
  readonly there: readonly Volume[];
  readonly environment: string;
  /** As the platform tells them, with their snapshots. */
  readonly instances: readonly InstanceSnapshots[];
};

/** A snapshot that was to go and could not. */
export type Stuck = { readonly where: string; readonly because: string };

/** One command that destroys snapshots. Those of one lane go one after the other. */
export type DestroyJob = { readonly command: Command; readonly members: readonly SetMember[]; readonly lane: string };

/** What is known of a preserved state. */
export type PreservedUse = {
  /** Bytes that its end would give back. */
  readonly free: number | undefined;
  /** Its live volume is not there, or stands on it. */
  readonly mayBeLastCopy: boolean;
};

/**
 * One way in which storage makes restore points. All of it is pure: it gives commands and reads their results, and the caller puts those of
 * all backends and containers of a host into one round trip. A result stands where its command stood.
 */
export type SnapshotBackend = {
  /** What its volumes and members have as `kind`. */
  readonly kind: string;
  /** Whether it makes the restore points of a pool, or why nobody can; nothing where the pool is another backend's. */
  support(pool: PoolInfo): 'yes' | NoSupport | undefined;
  /** What a volume of such a pool has of its own. @throws SafetyError when the pool does not tell */
  locate(
    pool: PoolInfo,
    place: InstancePlace & { readonly volume?: string },
    projects: InstanceFacts['projects'],
  ): Pick<Volume, 'kind' | 'dataset'>;

  /** What to ask besides the platform's look at its instances, which has their own snapshots. It may travel in any batch. */
  list(volumes: readonly Volume[]): Command[];
  /** @throws SafetyError when a volume is not there, or what it is on cannot be seen */
  parseList(results: readonly CommandResult[], listed: Listed): Found[];
  /** What must be asked again of the instances to see what was cut. */
  listInstances(volumes: readonly Volume[]): Command[];
  parseInstances(result: CommandResult): InstanceSnapshots[];

  /** The commands that cut, in order. */
  cut(volumes: readonly Volume[], cut: Cut): Command[];
  /** What a failed command of a cut means: there is a snapshot of that name, or one is being made at this moment. */
  refusal(failed: CommandResult): 'taken' | 'busy' | undefined;
  /** The error for a failed command. */
  failed(failed: CommandResult, message: string): MooringError;
  /** Why members that were just cut together are no restore point, although each is there; nothing when they are. */
  doubt(members: readonly SetMember[]): string | undefined;

  /** The commands that destroy these snapshots and nothing else. */
  destroy(members: readonly SetMember[]): DestroyJob[];
  /** What became of a job: what stays, and what is tried again, each for itself. */
  destroyed(job: DestroyJob, result: CommandResult): { readonly stuck: readonly Stuck[]; readonly again: readonly DestroyJob[] };
  /** Bytes written to the volumes since, by `whereOf`; nothing where the storage does not tell. */
  writtenSince(members: readonly SetMember[]): Fact<ReadonlyMap<string, number>> | undefined;

  /** The states that roll-backs kept as things of their own, wherever they are in the pools of these volumes. */
  preserved(volumes: readonly Volume[]): Fact<PreservedState[]> | undefined;
  /** By the dataset of each. */
  usesOf(states: readonly PreservedState[]): Fact<ReadonlyMap<string, PreservedUse>>;
  /** Destroys a preserved state and its snapshots. @throws InputError for what is not where preserved states are */
  destroyPreserved(state: PreservedState): Command;
  /** What a roll-back must know of the volumes, and how it goes back. */
  lookBack(volumes: readonly Volume[], listed: Pick<Listed, 'environment' | 'instances'>): LookBack;
  /** The commands that make a stopped copy of a snapshot, an instance of its own. The live instance is only read. @param pool of its root */
  copyForDrill(member: SetMember, spec: DrillSpec, pool: Pool): Command[];
  /** Takes such a copy away, whatever state it is in; does nothing when it is not there. */
  removeDrill(drill: Pick<LeftDrill, 'name' | 'run'>, project: string, pool: Pool): Command;
  /** What holds the data of an instance on a pool although its platform does not list the instance. */
  leftovers(pool: PoolInfo): Fact<(projects: readonly string[], instance: string) => string[]> | undefined;
};

/** The backend of a volume or a member. */
export function backendOf(backends: readonly SnapshotBackend[], { kind }: Pick<Volume, 'kind'>): SnapshotBackend {
  const found = backends.find((one) => one.kind === kind);
  if (found === undefined) throw new RangeError(`no backend has the key ${kind}`);
  return found;
}

/** Volumes or members by backend, in the order of the backends. */
export function byBackend<T extends Pick<Volume, 'kind'>>(
  backends: readonly SnapshotBackend[],
  items: readonly T[],
): { readonly backend: SnapshotBackend; readonly own: readonly T[] }[] {
  return backends
    .map((backend) => ({ backend, own: items.filter(({ kind }) => kind === backend.kind) }))
    .filter(({ own }) => own.length > 0);
}

/** Who makes the restore points of a pool, or why nobody can. */
export function supportOf(backends: readonly SnapshotBackend[], pool: PoolInfo): { readonly backend: SnapshotBackend } | NoSupport {
  for (const backend of backends) {
    const support = backend.support(pool);
    if (support !== undefined) return support === 'yes' ? { backend } : support;
  }
  return { because: `pool ${pool.name} has the driver ${pool.driver}, on which restore points were never tried` };
}
