import { NotModelled, ToolError } from './answer.ts';
import type { Content, Dataset, Properties, Snapshot } from './dataset.ts';

/** The file systems of one host, with what OpenZFS does to them. Records are replaced, never changed, so a copy is cheap. */
export class Zfs {
  readonly datasets: Map<string, Dataset>;
  /** Transaction groups so far; each change is one. */
  txg: number;
  /** Seconds since 1970, by the host's clock. */
  readonly now: () => number;

  constructor(now: () => number, from?: Zfs) {
    this.now = now;
    this.datasets = new Map(from?.datasets);
    this.txg = from?.txg ?? 100;
  }

  dataset(name: string): Dataset {
    const found = this.datasets.get(name);
    if (found === undefined) throw new ToolError(`cannot open '${name}': dataset does not exist`);
    return found;
  }

  snapshot(fullName: string): { readonly dataset: string; readonly snapshot: Snapshot } {
    const [dataset = '', name = ''] = fullName.split('@');
    const snapshot = this.datasets.get(dataset)?.snapshots.find((one) => one.name === name);
    if (snapshot === undefined) throw new ToolError(`cannot open '${fullName}': dataset does not exist`);
    return { dataset, snapshot };
  }

  /** `pool/fs@name` of a snapshot by its guid. */
  nameOf(guid: number): string {
    for (const [name, { snapshots }] of this.datasets) {
      const found = snapshots.find((one) => one.guid === guid);
      if (found !== undefined) return `${name}@${found.name}`;
    }
    throw new Error(`the model has lost the snapshot ${guid}`);
  }

  /** File systems whose origin a snapshot is. */
  clonesOf(guid: number): string[] {
    return [...this.datasets].flatMap(([name, { origin }]) => (origin === guid ? [name] : []));
  }

  childrenOf(name: string): string[] {
    return [...this.datasets.keys()].filter((one) => one.startsWith(`${name}/`));
  }

  create(name: string, properties: Properties = {}, parents = false): void {
    if (this.datasets.has(name)) {
      if (parents) return;
      throw new ToolError(`cannot create '${name}': dataset already exists`);
    }
    refuseZeroLimit(properties, `cannot create '${name}'`);
    this.#needParent(name, `cannot create '${name}'`, parents);
    this.#put(name, { ...this.#made(), origin: undefined, content: new Map(), properties, snapshots: [] });
  }

  /** Puts content in place, as who has it mounted does. */
  write(name: string, content: Content): void {
    this.#put(name, { ...this.dataset(name), content });
    this.txg++;
  }

  /** All of them in one transaction group, or none: `pool/fs@name`, … */
  cut(fullNames: readonly string[], properties: Properties): void {
    const cuts = fullNames.map((fullName) => ({ fullName, parts: fullName.split('@') as [string, string] }));
    for (const { fullName, parts } of cuts) {
      if (!/^[^@]+@[\w.:-]+$/.test(fullName)) throw new ToolError(`cannot create snapshot '${fullName}': invalid character in name`, 2);
      // The names are opened first; one that is not there ends in the usage, with code 2 (transcript zt4).
      if (!this.datasets.has(parts[0]))
        throw new ToolError(
          `cannot open '${parts[0]}': dataset does not exist\nusage:\n\tsnapshot [-r] [-o property=value] ... <filesystem|volume>@<snap> ...`,
          2,
        );
    }
    const more = cuts.length > 1 ? '\nno snapshots were created' : '';
    for (const { fullName, parts } of cuts) {
      if (this.dataset(parts[0]).snapshots.some(({ name }) => name === parts[1]))
        throw new ToolError(`cannot create snapshot '${fullName}': dataset already exists${more}`);
    }
    if (new Set(cuts.map(({ parts }) => parts[0].split('/')[0])).size > 1) throw new NotModelled('one `zfs snapshot` over several pools');
    const made = this.#made();
    for (const [i, { parts }] of cuts.entries()) {
      const old = this.dataset(parts[0]);
      const snapshot = { ...made, guid: made.createtxg * 1000 + i, name: parts[1], content: old.content, properties, holds: [] };
      this.#put(parts[0], { ...old, snapshots: [...old.snapshots, snapshot] });
    }
  }

  clone(origin: string, name: string, properties: Properties): void {
    const { snapshot } = this.snapshot(origin);
    if (this.datasets.has(name)) throw new ToolError(`cannot create '${name}': dataset already exists`);
    refuseZeroLimit(properties, `cannot create '${name}'`);
    this.#needParent(name, `cannot create '${name}'`, false);
    this.#put(name, { ...this.#made(), origin: snapshot.guid, content: snapshot.content, properties, snapshots: [] });
  }

  /** The clone takes over its origin and every older snapshot; what it came from becomes a clone of it. */
  promote(name: string): void {
    const clone = this.dataset(name);
    if (clone.origin === undefined) throw new ToolError(`cannot promote '${name}': not a cloned filesystem`);
    const [parentName = ''] = this.nameOf(clone.origin).split('@');
    const parent = this.dataset(parentName);
    const at = parent.snapshots.findIndex(({ guid }) => guid === clone.origin) + 1;
    const moved = parent.snapshots.slice(0, at);
    const clash = moved.find((one) => clone.snapshots.some((own) => own.name === one.name));
    if (clash !== undefined)
      throw new ToolError(
        `cannot promote '${name}': snapshot name '${clash.name}' from origin \n\t\tconflicts with '${clash.name}' from target`,
      );
    this.txg++;
    this.#put(name, { ...clone, origin: parent.origin, snapshots: [...moved, ...clone.snapshots] });
    this.#put(parentName, { ...parent, origin: clone.origin, snapshots: parent.snapshots.slice(at) });
  }

  rename(from: string, to: string): void {
    const dataset = this.dataset(from);
    if (from.split('/')[0] !== to.split('/')[0]) throw new ToolError(`cannot rename to '${to}': datasets must be within same pool`);
    this.#needParent(to, `cannot rename to '${to}'`, false);
    if (this.datasets.has(to)) throw new ToolError(`cannot rename '${from}': dataset already exists`);
    this.txg++;
    const children = this.childrenOf(from).map((name) => [name, this.dataset(name)] as const);
    for (const name of [from, ...children.map(([name]) => name)]) this.datasets.delete(name);
    this.#put(to, dataset);
    for (const [name, child] of children) this.#put(`${to}${name.slice(from.length)}`, child);
  }

  rollback(fullName: string, destroyNewer: boolean): void {
    const { dataset: name, snapshot } = this.snapshot(fullName);
    const dataset = this.dataset(name);
    const at = dataset.snapshots.indexOf(snapshot) + 1;
    const newer = dataset.snapshots.slice(at);
    const list = newer.map((one) => `${name}@${one.name}`).join('\n');
    if (newer.length > 0 && !destroyNewer)
      throw new ToolError(
        `cannot rollback to '${fullName}': more recent snapshots or bookmarks exist\nuse '-r' to force deletion of the following snapshots and bookmarks:\n${list}`,
      );
    const clones = newer.flatMap(({ guid }) => this.clonesOf(guid));
    if (clones.length > 0)
      throw new ToolError(
        `cannot rollback to '${fullName}': clones of previous snapshots exist\nuse '-R' to force deletion of the following clones and dependents:\n${clones.join('\n')}`,
      );
    for (const one of newer) this.#refuseHeld(name, one);
    this.txg++;
    this.#put(name, { ...dataset, content: snapshot.content, snapshots: dataset.snapshots.slice(0, at) });
  }

  /** Destroys snapshots of one file system: those of the list that are there, all of them or none. */
  destroySnapshots(name: string, names: readonly string[]): void {
    const dataset = this.datasets.get(name);
    if (dataset === undefined) throw new ToolError(`cannot open '${name}': dataset does not exist`);
    const doomed = dataset.snapshots.filter((one) => names.includes(one.name));
    if (doomed.length === 0) throw new ToolError('could not find any snapshots to destroy; check snapshot names.');
    for (const one of doomed) {
      const clones = this.clonesOf(one.guid);
      if (clones.length > 0)
        throw new ToolError(
          `cannot destroy '${name}@${one.name}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n${clones.join('\n')}`,
        );
    }
    for (const one of doomed) this.#refuseHeld(name, one);
    this.txg++;
    this.#put(name, { ...dataset, snapshots: dataset.snapshots.filter((one) => !doomed.includes(one)) });
  }

  destroy(name: string, recursive: boolean): void {
    const dataset = this.dataset(name);
    const below = [...this.childrenOf(name), ...dataset.snapshots.map((one) => `${name}@${one.name}`)];
    if (below.length > 0 && !recursive)
      throw new ToolError(
        `cannot destroy '${name}': filesystem has children\nuse '-r' to destroy the following datasets:\n${below.join('\n')}`,
      );
    const own = [name, ...this.childrenOf(name)];
    const clones = own
      .flatMap((one) => this.dataset(one).snapshots.flatMap(({ guid }) => this.clonesOf(guid)))
      .filter((one) => !own.includes(one));
    if (clones.length > 0)
      throw new ToolError(
        `cannot destroy '${name}': filesystem has dependent clones\nuse '-R' to destroy the following datasets:\n${clones.join('\n')}`,
      );
    for (const one of own) for (const snapshot of this.dataset(one).snapshots) this.#refuseHeld(one, snapshot);
    this.txg++;
    for (const one of own) this.datasets.delete(one);
  }

  hold(tag: string, fullName: string): void {
    const { snapshot } = this.snapshot(fullName);
    if (snapshot.holds.includes(tag)) throw new ToolError(`cannot hold snapshot '${fullName}': tag already exists on this dataset`);
    this.#replaceSnapshot(fullName, { ...snapshot, holds: [...snapshot.holds, tag] });
  }

  release(tag: string, fullName: string): void {
    const { snapshot } = this.snapshot(fullName);
    if (!snapshot.holds.includes(tag)) throw new ToolError(`cannot release hold from snapshot '${fullName}': no such tag on this dataset`);
    this.#replaceSnapshot(fullName, { ...snapshot, holds: snapshot.holds.filter((one) => one !== tag) });
  }

  /** Sets properties, or takes them away where the value is `undefined`. */
  set(name: string, values: Readonly<Record<string, string | undefined>>): void {
    const apply = (old: Properties): Properties =>
      Object.fromEntries(Object.entries({ ...old, ...values }).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
    refuseZeroLimit(values, `cannot set property for '${name}'`);
    this.txg++;
    if (name.includes('@')) {
      const { snapshot } = this.snapshot(name);
      this.#replaceSnapshot(name, { ...snapshot, properties: apply(snapshot.properties) });
    } else this.#put(name, { ...this.dataset(name), properties: apply(this.dataset(name).properties) });
  }

  /** Takes a snapshot's name only. */
  renameSnapshot(fullName: string, name: string): void {
    const { snapshot } = this.snapshot(fullName);
    this.txg++;
    this.#replaceSnapshot(fullName, { ...snapshot, name });
  }

  #made(): { createtxg: number; creation: number } {
    return { createtxg: ++this.txg, creation: Math.floor(this.now()) };
  }

  #put(name: string, dataset: Dataset): void {
    this.datasets.set(name, dataset);
  }

  #replaceSnapshot(fullName: string, snapshot: Snapshot): void {
    const { dataset: name, snapshot: old } = this.snapshot(fullName);
    const dataset = this.dataset(name);
    this.#put(name, { ...dataset, snapshots: dataset.snapshots.map((one) => (one === old ? snapshot : one)) });
  }

  #needParent(name: string, message: string, make: boolean): void {
    const parent = name.split('/').slice(0, -1).join('/');
    if (this.datasets.has(parent)) return;
    if (parent === '' || !make) throw new ToolError(`${message}: ${parent === '' ? 'no such pool' : 'parent does not exist'}`);
    this.create(parent, {}, true);
  }

  #refuseHeld(name: string, snapshot: Snapshot): void {
    const full = `${name}@${snapshot.name}`;
    if (snapshot.holds.length > 0)
      throw new ToolError(`cannot destroy snapshot ${full}: it's being held. Run 'zfs holds -r ${full}' to see holders.`);
  }
}

/** `zfs get -p` prints the limit `none` as 0, which is not taken back (OpenZFS 2.3.9). */
function refuseZeroLimit({ quota, refquota }: Readonly<Record<string, string | undefined>>, message: string): void {
  if (quota === '0' || refquota === '0') throw new ToolError(`${message}: use 'none' to disable quota/refquota`);
}
