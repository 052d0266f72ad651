import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** An interface as it is seen on a running guest. */
export type LiveInterface = { name: string; hwaddr: string; inet?: string; inet6?: string; others?: string[] };

/** A guest, as its configuration file and its processes have it. */
export type GuestState = {
  vmid: number;
  type: 'lxc' | 'qemu';
  node: string;
  running: boolean;
  /** It was made through the API, so that a backend runs it; a seeded one is paper. */
  real?: boolean;
  /** The main section of the file. */
  options: Record<string, string>;
  /** The section of what is for the next start. */
  pending: Record<string, string>;
  /** Options that go at the next start. */
  deleted: string[];
  snapshots: { name: string; description?: string; options: Record<string, string> }[];
  /** What is seen on it: of QEMU guests by their agent, of LXC guests that no backend runs. Nothing: no agent runs. */
  live?: LiveInterface[];
};

export type TaskState = {
  upid: string;
  node: string;
  type: string;
  id: string;
  user: string;
  starttime: number;
  status: 'running' | 'stopped';
  exitstatus?: string;
  log: string[];
};

export type StorageState = { storage: string; type: string; content: string; volumes: { volid: string; content: string; size: number }[] };

/** A token: the sha256 of its secret, and what it may do where; rights hold below their path too. */
export type TokenState = { secretSha256: string; acl: Record<string, string[]> };

/** Something that is to go wrong. */
export type Fault =
  /** The call is answered so and does nothing. */
  | { at: string; kind: 'refuse'; status: number; message: string; times?: number }
  /** The call does what it does, and then the answer is 596. */
  | { at: string; kind: '596-after'; times?: number }
  /** The call does what it does, and then the connection is cut. */
  | { at: string; kind: 'cut-after'; times?: number }
  /** The answer comes later. */
  | { at: string; kind: 'delay'; ms: number; times?: number }
  /** The next task of this type ends so: `WARNINGS: 1`, `unexpected status`, or a message of failure. `before`: without having done anything. */
  | { task: string; kind: 'exit'; status: string; log?: string[]; before?: boolean; times?: number };

export type State = {
  node: string;
  nodes: { node: string; online: boolean }[];
  sequence: number;
  guests: GuestState[];
  tasks: TaskState[];
  storages: StorageState[];
  bridges: string[];
  /** Virtual networks of SDN, each in its zone. */
  vnets: { vnet: string; zone: string }[];
  /** As `pveversion` says it. */
  version: string;
  /** Templates that the node can download. */
  downloads: string[];
  tokens: Record<string, TokenState>;
  faults: Fault[];
  /** Every call that came, newest last: `PUT /nodes/pve/lxc/101/config`. */
  calls: string[];
};

const GUEST_RIGHTS =
  'VM.Allocate VM.Audit VM.Config.CPU VM.Config.Memory VM.Config.Disk VM.Config.Network VM.Config.Options VM.PowerMgmt VM.Snapshot VM.Snapshot.Rollback';

/** The smallest rights with which the app tier works. */
export const MINIMAL_ACL: Record<string, string[]> = {
  '/vms': GUEST_RIGHTS.split(' '),
  '/storage/local-zfs': ['Datastore.AllocateSpace', 'Datastore.Audit'],
  '/storage/local': ['Datastore.AllocateTemplate', 'Datastore.Audit'],
  '/sdn/zones/localnetwork/vmbr0': ['SDN.Use'],
};

export const TEMPLATE = 'debian-12-standard_12.7-1_amd64.tar.zst';

/** A fresh node with two storages, a bridge, a template, and nobody on it. */
export function freshState(): State {
  return {
    node: 'pve',
    nodes: [{ node: 'pve', online: true }],
    sequence: 0,
    guests: [],
    tasks: [],
    storages: [
      {
        storage: 'local',
        type: 'dir',
        content: 'iso,vztmpl,backup',
        volumes: [{ volid: `local:vztmpl/${TEMPLATE}`, content: 'vztmpl', size: 126_515_062 }],
      },
      { storage: 'local-zfs', type: 'zfspool', content: 'images,rootdir', volumes: [] },
    ],
    bridges: ['vmbr0'],
    vnets: [],
    version: '9.1.4',
    downloads: [TEMPLATE, 'debian-13-standard_13.1-2_amd64.tar.zst'],
    tokens: {},
    faults: [],
    calls: [],
  };
}

/** A token with this secret. */
export function token(secret: string, acl: Record<string, string[]> = MINIMAL_ACL): TokenState {
  return { secretSha256: createHash('sha256').update(secret).digest('hex'), acl };
}

/** A guest as it may be seeded: the rest is usual. */
export function guest(given: Partial<GuestState> & Pick<GuestState, 'vmid'>): GuestState {
  return { type: 'lxc', node: 'pve', running: false, options: {}, pending: {}, deleted: [], snapshots: [], ...given };
}

/** The state, kept in a file so that it survives a restart; without a file in memory only. */
export class Store {
  readonly state: State;
  readonly #file: string | undefined;

  constructor(file?: string, initial: State = freshState()) {
    this.#file = file;
    this.state = file !== undefined && existsSync(file) ? { ...initial, ...(JSON.parse(readFileSync(file, 'utf8')) as State) } : initial;
    // Workers of a double that was killed are gone, and nobody knows how they ended.
    for (const task of this.state.tasks.filter(({ status }) => status === 'running')) {
      task.status = 'stopped';
      task.exitstatus = 'unexpected status';
    }
    this.save();
  }

  save(): void {
    if (this.#file === undefined) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    const part = `${this.#file}.${process.pid}.part`;
    writeFileSync(part, JSON.stringify(this.state, undefined, 1), { mode: 0o600 });
    renameSync(part, this.#file);
  }

  guest(vmid: number, type?: 'lxc' | 'qemu', node?: string): GuestState | undefined {
    return this.state.guests.find(
      (one) => one.vmid === vmid && (type === undefined || one.type === type) && (node === undefined || one.node === node),
    );
  }
}

/** The digest of a guest's whole file: pending options and snapshots count. */
export function digest({ options, pending, deleted, snapshots }: GuestState): string {
  return createHash('sha1')
    .update(JSON.stringify([options, pending, deleted, snapshots]))
    .digest('hex');
}

/** A random MAC address, as Proxmox draws it. */
export function randomMac(): string {
  return `BC:24:11:${[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':')}`;
}
