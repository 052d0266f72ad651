import type { Content } from './dataset.ts';

export type Keys = Readonly<Record<string, string>>;

/** What Incus's database has of a snapshot; on ZFS the data is elsewhere, and may be gone. */
export type SnapshotRecord = {
  readonly name: string;
  readonly createdAt: number;
  readonly config: Keys;
  readonly devices: Readonly<Record<string, Keys>>;
  readonly profiles: readonly string[];
  /** On btrfs, the data itself. */
  readonly content?: Content;
  /** When it was made, in the order of everything that happens. */
  readonly txg: number;
};

export type InstanceRecord = {
  readonly name: string;
  readonly project: string;
  readonly status: 'Running' | 'Stopped';
  /** Seconds since 1970: an address comes a moment after the start. */
  readonly startedAt: number;
  /** When it was told to stop, in seconds since 1970; nothing for one that never was. */
  readonly stoppedAt?: number;
  readonly createdAt: number;
  readonly createdTxg: number;
  readonly config: Keys;
  readonly devices: Readonly<Record<string, Keys>>;
  readonly profiles: readonly string[];
  readonly pool: string;
  readonly snapshots: readonly SnapshotRecord[];
  /** On btrfs, the data itself. */
  readonly content?: Content;
};

/** Seconds that a stop takes: the command comes back after them, and Incus goes on with it when the command is killed. */
export const STOP_LASTS = 1.5;

/** Whether Incus is stopping it: then it lists it without its configuration (lab, Incus 6.0.4). */
export function isBeingStopped({ stoppedAt }: InstanceRecord, now: number): boolean {
  return stoppedAt !== undefined && now - stoppedAt < STOP_LASTS;
}

/** What an instance is made with. */
export type Made = Pick<InstanceRecord, 'name' | 'project' | 'config' | 'devices' | 'profiles'>;

export type PoolRecord = { readonly name: string; readonly driver: 'zfs' | 'btrfs'; readonly dataset?: string };

/** What a profile gives, which is called as its pool. */
export function profileDevices(pool: string): Readonly<Record<string, Keys>> {
  return { root: { type: 'disk', path: '/', pool }, eth0: { type: 'nic', network: 'net' } };
}

/** All devices of an instance, those of its profiles too. */
export function expandedDevices({ profiles, devices }: Pick<InstanceRecord, 'profiles' | 'devices'>): Readonly<Record<string, Keys>> {
  return { ...Object.assign({}, ...profiles.map(profileDevices)), ...devices };
}

/** Whether anybody can reach it: it runs, and has a network. */
export function isReachable(instance: InstanceRecord): boolean {
  return instance.status === 'Running' && Object.values(expandedDevices(instance)).some(({ type }) => type === 'nic');
}
