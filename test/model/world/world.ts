import type { Content } from './dataset.ts';
import { Files } from './files.ts';
import { Incus } from './incus.ts';
import { type InstanceRecord, isReachable, type PoolRecord } from './instance.ts';
import { Zfs } from './zfs.ts';

/** What a world is made with. */
export type WorldSpec = {
  readonly pools: readonly PoolRecord[];
  readonly projects: readonly string[];
  readonly seconds?: number;
  /** A second host. */
  readonly second?: WorldSpec;
};

const NOTHING: WorldSpec = { pools: [], projects: ['default'] };
const IMAGE = 'f'.repeat(64);

/** One host: ZFS, Incus with its own records, the files of the plugin, and what its users have written. */
export class World {
  readonly zfs: Zfs;
  readonly incus: Incus;
  readonly files: Files;
  /** Every fact that was ever written, by its key. */
  readonly facts: Set<string>;
  /** What flags have named: snapshots and preserved states by their names, `present` for what was written since the newest snapshot. */
  readonly named: Set<string>;
  /** What should never have been done. */
  readonly faults: string[];
  /** The environment's other host, if it has two. */
  readonly second: World | undefined;
  /** How many processes there were: their ids. */
  processes: number;
  readonly #clock: { seconds: number };
  /** How many facts there were, those that are given up too. */
  #written: number;
  /** When the last deploy completed, in the order of everything that happens. */
  #completed: number;

  constructor(spec: WorldSpec, from?: World) {
    this.#clock = { seconds: from?.seconds() ?? spec.seconds ?? 1_795_330_400 };
    this.zfs = new Zfs(this.seconds, from?.zfs);
    this.incus = new Incus(this.zfs, this.seconds, from?.incus ?? { instances: new Map(), ...spec });
    this.files = new Files(from?.files);
    this.facts = new Set(from?.facts);
    this.faults = [...(from?.faults ?? [])];
    this.named = new Set(from?.named);
    this.second = from === undefined ? spec.second && new World(spec.second) : from.second?.clone();
    this.#written = from === undefined ? 0 : from.#written;
    this.processes = from?.processes ?? 0;
    this.#completed = from === undefined ? 0 : from.#completed;
    if (from === undefined) for (const pool of spec.pools) this.#makePool(pool);
  }

  /** The same world once more; what is done to one is not done to the other. */
  clone(): World {
    return new World(NOTHING, this);
  }

  /** Both hosts, or the only one. */
  get all(): World[] {
    return this.second === undefined ? [this] : [this, this.second];
  }

  /** Seconds since 1970, by the host's clock. */
  readonly seconds = (): number => this.#clock.seconds;

  /** Lets time go by. */
  pass(seconds: number): void {
    this.#clock.seconds += seconds;
    if (this.second !== undefined) this.second.pass(seconds);
  }

  /** A user writes a fact into an instance, if it runs and its service is there. */
  write(name: string): boolean {
    const instance = [...this.incus.instances.values()].find((one) => one.name === name);
    return instance !== undefined && this.#writeTo(instance);
  }

  /** Users write at any moment: one fact into everything that runs. */
  writeEverywhere(): void {
    this.second?.writeEverywhere();
    for (const instance of this.incus.instances.values()) this.#writeTo(instance);
  }

  #writeTo(instance: InstanceRecord): boolean {
    if (!isReachable(instance)) return false;
    const content = this.incus.contentOf(instance);
    if (!content.has('package')) return false;
    const fact = `fact ${++this.#written} of ${instance.name}`;
    this.facts.add(fact);
    this.incus.write(instance, new Map(content).set(fact, ''));
    return true;
  }

  /** Facts that are in no live state, no snapshot and no preserved state. A drill's copy is none of these: the next drill takes it away. */
  lost(): string[] {
    if (this.facts.size === 0) return [];
    const missing = new Set(this.facts);
    const seen = new Set<Content>();
    const look = (content: Content | undefined) => {
      if (content === undefined || seen.has(content)) return;
      seen.add(content);
      for (const key of content.keys()) missing.delete(key);
    };
    for (const [name, { content, snapshots }] of [...this.zfs.datasets, ...this.incus.instances])
      for (const one of isOfDrill(name) ? snapshots : [{ content }, ...snapshots]) look(one.content);
    return [...missing];
  }

  /** Does what destroys. Where flags have named all of it, the facts that only it had are given up; anything else is lost. */
  destroying<T>(victims: readonly string[], work: () => T): T {
    if (victims.length === 0 || !victims.every((one) => this.named.has(one))) return work();
    const before = new Set(this.lost());
    const done = work();
    for (const fact of this.lost()) if (!before.has(fact)) this.facts.delete(fact);
    return done;
  }

  /** A deploy has completed: a restore point of before is not enough any more. */
  deployCompleted(): void {
    this.#completed = ++this.zfs.txg;
  }

  /**
   * The tool is about to change what is in an instance: then there must be a restore point newer than the last completed
   * deploy, unless the instance itself is newer.
   */
  aboutToChange(instance: InstanceRecord): void {
    if (instance.createdTxg > this.#completed) return;
    const dataset = this.incus.datasetOf(instance);
    const points =
      dataset === undefined
        ? instance.snapshots.map(({ name, txg }) => ({ name, txg }))
        : this.zfs.dataset(dataset).snapshots.map(({ name, createtxg }) => ({ name, txg: createtxg }));
    if (!points.some(({ name, txg }) => /^pre-(deploy|rollback)-/.test(name) && txg > this.#completed))
      this.faults.push(`${instance.name} is changed without a restore point newer than the last completed deploy`);
  }

  /** `zfs` is about to be run: what it must not do under a running container is a fault (transcript zt4: it answers 0 and corrupts). */
  aboutToRun([verb = '', ...rest]: readonly string[]): void {
    if (verb !== 'rollback' && verb !== 'rename') return;
    const names = rest.filter((word) => !word.startsWith('-')).map((word) => word.split('@')[0]);
    for (const instance of this.incus.instances.values()) {
      if (instance.status === 'Running' && names.includes(this.incus.datasetOf(instance)) && this.zfs.datasets.has(names[0] as string))
        this.faults.push(`zfs ${verb} under ${instance.name}, which runs`);
    }
  }

  #makePool({ dataset, driver }: PoolRecord): void {
    if (driver !== 'zfs' || dataset === undefined) return;
    const zpool = dataset.split('/')[0] as string;
    if (!this.zfs.datasets.has(zpool))
      this.zfs.datasets.set(zpool, { createtxg: 1, creation: 0, origin: undefined, content: new Map(), properties: {}, snapshots: [] });
    for (const name of [
      dataset,
      ...['containers', 'custom', 'deleted', 'deleted/containers', 'images', `images/${IMAGE}`].map((one) => `${dataset}/${one}`),
    ])
      this.zfs.create(name, {}, true);
    this.zfs.cut([`${dataset}/images/${IMAGE}@readonly`], {});
  }
}

/** Whether an instance (`project/name`) or a dataset is the copy of a drill. */
export function isOfDrill(name: string): boolean {
  return /[/_]drill-[^/]*$/.test(name);
}
