import { NotModelled } from './answer.ts';
import type { Content, Dataset, Snapshot } from './dataset.ts';
import type { Zfs } from './zfs.ts';

/** A property as `zfs get` tells it. */
export type Property = { readonly value: string; readonly source: string };

/** Bytes of a pool. */
export const POOL_SIZE = 100 * 1024 ** 3;

/** Native properties that can be set, with their defaults, and whether children inherit them. */
const SETTABLE: Readonly<Record<string, { readonly default: string; readonly inherited: boolean }>> = {
  mountpoint: { default: 'none', inherited: true },
  canmount: { default: 'on', inherited: false },
  quota: { default: '0', inherited: false },
  refquota: { default: '0', inherited: false },
  reservation: { default: '0', inherited: false },
  refreservation: { default: '0', inherited: false },
  readonly: { default: 'off', inherited: true },
  compression: { default: 'on', inherited: true },
  atime: { default: 'on', inherited: true },
  recordsize: { default: '131072', inherited: true },
  logbias: { default: 'latency', inherited: true },
  primarycache: { default: 'all', inherited: true },
  sync: { default: 'standard', inherited: true },
  xattr: { default: 'on', inherited: true },
  acltype: { default: 'off', inherited: true },
  dedup: { default: 'off', inherited: true },
  copies: { default: '1', inherited: true },
};

const READ_ONLY = [
  'type',
  'creation',
  'createtxg',
  'guid',
  'used',
  'available',
  'referenced',
  'written',
  'origin',
  'mounted',
  'userrefs',
  'clones',
  'encryption',
  'encryptionroot',
  'keystatus',
];

/** Names that `all` stands for on a thing, the user's own included. */
export function allProperties(zfs: Zfs, name: string): string[] {
  const own = name.includes('@') ? zfs.snapshot(name).snapshot.properties : {};
  const users = [...ancestors(name)]
    .flatMap((one) => Object.keys(zfs.datasets.get(one)?.properties ?? {}))
    .filter((one) => one.includes(':'));
  return [...new Set([...READ_ONLY, ...(name.includes('@') ? [] : Object.keys(SETTABLE)), ...Object.keys(own), ...users])];
}

/** One property of a file system or a snapshot. @throws NotModelled for a native one that the model does not know */
export function property(zfs: Zfs, name: string, key: string): Property {
  const [dataset = '', snapshotName] = name.split('@');
  const snapshot = snapshotName === undefined ? undefined : zfs.snapshot(name).snapshot;
  if (key.includes(':')) return inherited(zfs, name, key, snapshot?.properties[key]) ?? { value: '-', source: '-' };
  const fixed = snapshot === undefined ? ofDataset(zfs, dataset, zfs.dataset(dataset), key) : ofSnapshot(zfs, dataset, snapshot, key);
  if (fixed !== undefined) return { value: fixed, source: '-' };
  if (key.startsWith('written@')) {
    const since = zfs.snapshot(`${dataset}@${key.slice('written@'.length)}`).snapshot;
    return { value: String(difference(zfs.dataset(dataset).content, since.content)), source: '-' };
  }
  const settable = SETTABLE[key];
  if (settable === undefined) throw new NotModelled(`the ZFS property ${key}`);
  if (snapshot !== undefined) return { value: '-', source: '-' };
  const local = zfs.dataset(dataset).properties[key];
  const found = settable.inherited
    ? inherited(zfs, dataset, key, undefined)
    : local === undefined
      ? undefined
      : { value: local, source: 'local' };
  if (found === undefined) return { value: settable.default, source: 'default' };
  return /^(ref)?(quota|reservation)$/.test(key) && found.value === 'none' ? { ...found, value: '0' } : found;
}

/** Bytes that a content takes. */
export function bytesOf(content: Content): number {
  let bytes = 0;
  for (const [key, value] of content) bytes += key.length + value.length;
  return bytes;
}

function ofDataset(zfs: Zfs, name: string, dataset: Dataset, key: string): string | undefined {
  switch (key) {
    case 'name':
      return name;
    case 'type':
      return 'filesystem';
    case 'used':
      return String(usedOf(zfs, name));
    case 'available':
    case 'avail':
      return String(POOL_SIZE - usedOf(zfs, name.split('/')[0] as string));
    case 'referenced':
    case 'refer':
      return String(bytesOf(dataset.content));
    case 'written':
      return String(difference(dataset.content, dataset.snapshots.at(-1)?.content));
    case 'origin':
      return dataset.origin === undefined ? '-' : zfs.nameOf(dataset.origin);
    case 'userrefs':
    case 'clones':
      return '-';
    default:
      return common(dataset, key);
  }
}

function ofSnapshot(zfs: Zfs, name: string, snapshot: Snapshot, key: string): string | undefined {
  const snapshots = zfs.dataset(name).snapshots;
  const before = snapshots[snapshots.indexOf(snapshot) - 1];
  switch (key) {
    case 'name':
      return `${name}@${snapshot.name}`;
    case 'type':
      return 'snapshot';
    case 'guid':
      return String(snapshot.guid);
    case 'used':
    case 'written':
      return String(difference(snapshot.content, before?.content));
    case 'referenced':
    case 'refer':
      return String(bytesOf(snapshot.content));
    case 'userrefs':
      return String(snapshot.holds.length);
    case 'clones':
      return zfs.clonesOf(snapshot.guid).join(',');
    case 'origin':
    case 'available':
    case 'mounted':
      return '-';
    default:
      return common(snapshot, key);
  }
}

function common({ createtxg, creation }: { createtxg: number; creation: number }, key: string): string | undefined {
  const values: Record<string, string> = {
    createtxg: String(createtxg),
    creation: String(creation),
    guid: String(createtxg * 1000),
    mounted: 'no',
    encryption: 'off',
    encryptionroot: '-',
    keystatus: '-',
  };
  return values[key];
}

/** What is set on the thing itself, or else on the nearest file system above it. */
function inherited(zfs: Zfs, thing: string, key: string, own: string | undefined): Property | undefined {
  if (own !== undefined) return { value: own, source: 'local' };
  for (const name of ancestors(thing)) {
    const value = zfs.datasets.get(name)?.properties[key];
    if (value !== undefined) return { value, source: name === thing ? 'local' : `inherited from ${name}` };
  }
  return undefined;
}

function* ancestors(name: string): Generator<string> {
  for (let one = name.split('@')[0] as string; one !== ''; one = one.includes('/') ? one.slice(0, one.lastIndexOf('/')) : '') yield one;
}

function usedOf(zfs: Zfs, name: string): number {
  return [name, ...zfs.childrenOf(name)].reduce((all, one) => {
    const { content, snapshots } = zfs.dataset(one);
    return all + bytesOf(content) + snapshots.reduce((sum, snapshot) => sum + bytesOf(snapshot.content), 0);
  }, 0);
}

function difference(content: Content, before: Content | undefined): number {
  if (content === before) return 0;
  let bytes = 0;
  for (const [key, value] of content) if (before?.get(key) !== value) bytes += key.length + value.length;
  for (const key of before?.keys() ?? []) if (!content.has(key)) bytes += key.length;
  return bytes;
}
