import { ToolError } from './answer.ts';
import type { Content } from './dataset.ts';
import { expandedDevices, type InstanceRecord, type Keys, type Made, type PoolRecord, type SnapshotRecord } from './instance.ts';
import type { Zfs } from './zfs.ts';

/** What Incus gives to each instance's dataset (transcript lossless-rollback). */
const NATIVE = { mountpoint: 'legacy', canmount: 'noauto', quota: 'none', reservation: 'none', refquota: 'none', refreservation: 'none' };
const IMAGE = 'f'.repeat(64);

/** The Incus of one host: its own records, apart from what ZFS has. */
export class Incus {
  readonly instances: Map<string, InstanceRecord>;
  readonly pools: readonly PoolRecord[];
  readonly projects: readonly string[];
  readonly #zfs: Zfs;
  readonly #now: () => number;

  constructor(zfs: Zfs, now: () => number, from: Pick<Incus, 'instances' | 'pools' | 'projects'>) {
    this.#zfs = zfs;
    this.#now = now;
    this.instances = new Map(from.instances);
    this.pools = from.pools;
    this.projects = from.projects;
  }

  get(name: string, project: string): InstanceRecord {
    const found = this.instances.get(`${project}/${name}`);
    if (found === undefined) throw new ToolError(`Error: Failed to fetch instance "${name}" in project "${project}": Instance not found`);
    return found;
  }

  /** The dataset of an instance; nothing on btrfs. */
  datasetOf({ name, project, pool }: Pick<InstanceRecord, 'name' | 'project' | 'pool'>): string | undefined {
    const root = this.pools.find((one) => one.name === pool)?.dataset;
    return root && `${root}/containers/${project === 'default' ? '' : `${project}_`}${name}`;
  }

  /** The pool of an instance's root disk. */
  poolOf(made: Pick<InstanceRecord, 'profiles' | 'devices'>): PoolRecord {
    const root = Object.values(expandedDevices(made)).find(({ type, path }) => type === 'disk' && path === '/');
    const found = this.pools.find(({ name }) => name === root?.pool);
    if (found === undefined) throw new ToolError('Error: Failed instance creation: No root device could be found');
    return found;
  }

  contentOf(instance: InstanceRecord): Content {
    const dataset = this.datasetOf(instance);
    return dataset === undefined ? (instance.content ?? new Map()) : this.#zfs.dataset(dataset).content;
  }

  write(instance: InstanceRecord, content: Content): void {
    const dataset = this.datasetOf(instance);
    if (dataset === undefined) {
      this.#zfs.txg++;
      this.#put({ ...instance, content });
    } else this.#zfs.write(dataset, content);
  }

  /** `incus create <fingerprint> <name>`: its dataset is a clone of the image's. With `--empty` it is a clone of nothing. */
  create(made: Made, empty = false): void {
    const { pool, dataset } = this.#place(made);
    if (dataset !== undefined && empty) this.#zfs.create(dataset, NATIVE);
    else if (dataset !== undefined) this.#zfs.clone(`${pool.dataset}/images/${IMAGE}@readonly`, dataset, NATIVE);
    this.#put(this.#made(made, pool, dataset === undefined ? { content: new Map() } : {}));
  }

  /** `incus copy <name>/<snapshot> <other>`: its snapshots stay behind, and so do volatile keys, the UUID among them (transcript zt2). */
  copySnapshot(source: { name: string; snapshot: string }, given: Omit<Made, 'profiles'>): void {
    const from = this.get(source.name, given.project);
    const record = this.#record(from, source.snapshot);
    const config = Object.entries({ ...record.config, ...given.config }).filter(
      ([key, value]) => value !== '' && (!key.startsWith('volatile.') || key === 'volatile.base_image'),
    );
    const devices = Object.entries(given.devices).map(([name, device]) => [name, { ...record.devices[name], ...device }]);
    const { name, project } = given;
    const made = {
      ...{ name, project, profiles: record.profiles, config: Object.fromEntries(config) },
      devices: { ...record.devices, ...Object.fromEntries(devices) },
    };
    const { pool, dataset } = this.#place(made);
    if (dataset !== undefined) this.#zfs.clone(`${this.datasetOf(from)}@snapshot-${source.snapshot}`, dataset, NATIVE);
    this.#put(this.#made(made, pool, dataset === undefined ? { content: record.content ?? new Map() } : {}));
  }

  /**
   * `incus delete`: its own snapshots go first, then the dataset with every other snapshot, without a word; one that has clones is put
   * aside instead (transcripts zt2 to zt4). Where the dataset is gone already, only the record goes (Incus `deleteVolume`).
   */
  delete(name: string, project: string, force: boolean): void {
    const instance = this.instances.get(`${project}/${name}`);
    if (instance === undefined)
      throw new ToolError(
        `Error: Failed checking instance exists "local:${name}": Failed to fetch instance "${name}" in project "${project}": Instance not found`,
      );
    const refuse = (why: string) => new ToolError(`Error: Failed deleting instance "${name}" in project "${project}": ${why}`);
    if (instance.status === 'Running' && !force)
      throw new ToolError('Error: The instance is currently running, stop it first or pass --force');
    if (instance.status === 'Running') this.stop(name, project);
    if (instance.config['security.protection.delete'] === 'true') throw refuse('Instance is protected');
    for (const one of instance.snapshots) this.snapshotDelete(name, project, one.name);
    const dataset = this.datasetOf(instance);
    if (dataset !== undefined && this.#zfs.datasets.has(dataset)) {
      const cloned = this.#zfs.dataset(dataset).snapshots.some(({ guid }) => this.#zfs.clonesOf(guid).length > 0);
      try {
        if (cloned) this.#zfs.rename(dataset, this.#aside(instance));
        else this.#zfs.destroy(dataset, true);
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        throw refuse(`Error deleting storage volume: Failed to run: zfs destroy -r ${dataset}: exit status 1 (${error.message})`);
      }
    }
    this.instances.delete(`${project}/${name}`);
  }

  start(name: string, project: string): void {
    const instance = this.get(name, project);
    if (instance.status === 'Running') throw new ToolError('Error: The instance is already running');
    const dataset = this.datasetOf(instance);
    if (dataset !== undefined && !this.#zfs.datasets.has(dataset))
      throw new ToolError(
        `Error: Failed to run: zfs get -H -p -o value mountpoint ${dataset}: exit status 1 (cannot open '${dataset}': dataset does not exist)`,
      );
    this.#put({ ...instance, status: 'Running', startedAt: this.#now() });
  }

  stop(name: string, project: string): void {
    const instance = this.get(name, project);
    if (instance.status === 'Stopped') throw new ToolError('Error: The instance is already stopped');
    this.#put({ ...instance, status: 'Stopped', stoppedAt: this.#now() });
  }

  setConfig(name: string, project: string, values: Readonly<Record<string, string | undefined>>): void {
    const instance = this.get(name, project);
    const config = Object.entries({ ...instance.config, ...values }).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [[key, value] as const],
    );
    this.#put({ ...instance, config: Object.fromEntries(config) });
  }

  snapshotCreate(name: string, project: string, snapshot: string): void {
    const instance = this.get(name, project);
    const dataset = this.datasetOf(instance);
    if (instance.snapshots.some((one) => one.name === snapshot))
      throw new ToolError(
        `Error: Failed creating instance snapshot record "${snapshot}": Add snapshot info to the database: Failed to create "instances_snapshots" entry: UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name`,
      );
    if (dataset !== undefined) {
      try {
        this.#zfs.cut([`${dataset}@snapshot-${snapshot}`], {});
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        throw new ToolError(
          `Error: Create instance snapshot: Failed to run: zfs snapshot -r ${dataset}@snapshot-${snapshot}: exit status 1 (${error.message})`,
        );
      }
    }
    const { config, devices, profiles } = instance;
    const record = { name: snapshot, createdAt: this.#now(), config, devices, profiles, txg: ++this.#zfs.txg };
    const content = dataset === undefined ? { content: this.contentOf(instance) } : {};
    this.#put({ ...instance, snapshots: [...instance.snapshots, { ...record, ...content }] });
  }

  snapshotDelete(name: string, project: string, snapshot: string): void {
    const instance = this.get(name, project);
    this.#record(instance, snapshot);
    const dataset = this.datasetOf(instance);
    const full = `${dataset}@snapshot-${snapshot}`;
    // A record whose data is gone is taken away without a word (transcript zt3).
    const there =
      dataset === undefined ? undefined : this.#zfs.datasets.get(dataset)?.snapshots.find((one) => one.name === `snapshot-${snapshot}`);
    if (dataset !== undefined && there !== undefined) {
      try {
        // One that something is cloned from is only renamed (transcript zt2).
        if (this.#zfs.clonesOf(there.guid).length > 0) this.#zfs.renameSnapshot(full, `deleted-${this.#zfs.txg}`);
        else this.#zfs.destroySnapshots(dataset, [there.name]);
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        throw new ToolError(`Error: Failed to run: zfs destroy ${full}: exit status 1 (${error.message})`);
      }
    }
    this.#put({ ...instance, snapshots: instance.snapshots.filter((one) => one.name !== snapshot) });
  }

  /** Puts a snapshot's data and configuration back; one that runs is stopped for it and started again. */
  snapshotRestore(name: string, project: string, snapshot: string): void {
    const instance = this.get(name, project);
    const record = this.#record(instance, snapshot);
    const dataset = this.datasetOf(instance);
    const startedAt = this.#now();
    if (dataset === undefined) {
      this.#put({ ...instance, startedAt, config: record.config, content: record.content ?? new Map() });
      this.#zfs.txg++;
      return;
    }
    const snapshots = this.#zfs.dataset(dataset).snapshots;
    const at = snapshots.findIndex((one) => one.name === `snapshot-${snapshot}`);
    for (const newer of at < 0 ? [] : snapshots.slice(at + 1)) {
      const known = instance.snapshots.some((one) => `snapshot-${one.name}` === newer.name);
      const why = known ? 'subsequent snapshot(s). Set zfs.remove_snapshots to override' : 'subsequent internal snapshot(s) (from a copy)';
      throw new ToolError(`Error: Snapshot "${snapshot}" cannot be restored due to ${why}`);
    }
    // Where ZFS lacks the snapshot, Incus answers 0 and restores nothing (transcripts zt2 D2 and zt3 V).
    if (at >= 0) this.#zfs.rollback(`${dataset}@snapshot-${snapshot}`, false);
    this.#put({ ...instance, startedAt, config: record.config });
  }

  /** Where a new instance is to be. @throws ToolError where there is one of that name */
  #place(made: Made): { pool: PoolRecord; dataset: string | undefined } {
    if (this.instances.has(`${made.project}/${made.name}`))
      throw new ToolError(`Error: Failed instance creation: Failed creating instance record: Instance "${made.name}" already exists`);
    const pool = this.poolOf(made);
    return { pool, dataset: this.datasetOf({ ...made, pool: pool.name }) };
  }

  #made(made: Made, { name: pool }: PoolRecord, data: Pick<InstanceRecord, 'content'>): InstanceRecord {
    const uuid = made.config['volatile.uuid'] ?? `uuid-of-${made.name}-${this.#zfs.txg}`;
    const config = { ...made.config, 'volatile.uuid': uuid };
    const times = { startedAt: 0, createdAt: this.#now(), createdTxg: ++this.#zfs.txg };
    return { ...made, ...times, ...data, pool, config, status: 'Stopped', snapshots: [] };
  }

  /** Where the dataset of a deleted instance goes that something is cloned from. */
  #aside({ name, pool }: InstanceRecord): string {
    return `${this.pools.find((one) => one.name === pool)?.dataset}/deleted/containers/${name}-${this.#zfs.txg}`;
  }

  #record(instance: InstanceRecord, snapshot: string): SnapshotRecord {
    const found = instance.snapshots.find((one) => one.name === snapshot);
    if (found !== undefined) return found;
    throw new ToolError(
      `Error: Failed to fetch snapshot "${snapshot}" of instance "${instance.name}" in project "${instance.project}": Instance_snapshot not found`,
    );
  }

  setDevice(name: string, project: string, device: string, values: Keys): void {
    const instance = this.get(name, project);
    this.#put({ ...instance, devices: { ...instance.devices, [device]: { ...instance.devices[device], ...values } } });
  }

  #put(instance: InstanceRecord): void {
    this.instances.set(`${instance.project}/${instance.name}`, instance);
  }
}
