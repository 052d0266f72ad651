import type { Change } from './change.ts';
import type { Host } from './command.ts';
import type { MooringError } from './errors.ts';
import type { Secret } from './secret.ts';

/* The port behind which guests live: what the verbs of applications ask of Proxmox VE. */

/** A guest as it is described. What is left out is the platform's or whoever set it: it is not touched. */
export type WantedGuest = {
  readonly node: string;
  readonly vmid: number;
  /** Host name. */
  readonly name: string;
  /** `10.20.0.101/24`. */
  readonly ip: string;
  readonly gateway: string;
  readonly firewall: boolean;
  readonly start: boolean;
  readonly cores?: number | undefined;
  /** MiB. */
  readonly memory?: number | undefined;
  readonly swap?: number | undefined;
  /** GiB. */
  readonly disk?: number | undefined;
  readonly storage?: string | undefined;
  readonly bridge?: string | undefined;
  readonly template?: string | undefined;
  readonly nameserver?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly features?: GuestFeatures | undefined;
  readonly onBoot?: boolean | undefined;
  readonly password?: Secret | undefined;
  /** Whose it is: environment and project. */
  readonly owner: string;
};

export type GuestFeatures = {
  readonly nesting: boolean;
  readonly keyctl?: boolean | undefined;
  readonly fuse?: boolean | undefined;
  readonly mknod?: boolean | undefined;
  readonly mount?: readonly string[] | undefined;
};

/** The guest of an application, and where the workspace describes it. */
export type DescribedGuest = {
  readonly project: string;
  /** Folder of the application, relative to the workspace. */
  readonly root: string;
  /** Its address, without the length of its network. */
  readonly address: string;
  readonly wanted: WantedGuest;
};

/** A guest as it is. */
export type FoundGuest = {
  readonly state: 'running' | 'stopped';
  /** Whose it is, by its mark; nothing when it was not made by nx-mooring. */
  readonly owner: string | undefined;
  /** MAC of the interface that it runs with. */
  mac(): string | undefined;
  /** What differs from its description. Nothing is asked for it. */
  drift(): readonly Change[];
};

/** What a host in the network of the guests found out about an address. */
export type Neighbour = {
  /** As the environment names it. */
  readonly host: string;
  /** Whether the address is in one of its own networks, so that ARP reaches it. */
  readonly onLink: boolean;
  /** Whether it is the host's own. */
  readonly own: boolean;
  /** Who answered ARP. */
  readonly mac?: string | undefined;
  /** Whether something answered a ping; nothing where the host has no ping. */
  readonly ping: boolean | undefined;
};

/** That the host could not be asked is an answer too. */
export type NeighbourAnswer = Neighbour | { readonly host: string; readonly error: string };

/** Whether an address may be given to a guest. Each text names who or what, and how it was found. */
export type Verdict =
  | { readonly state: 'free'; readonly because: readonly string[] }
  | { readonly state: 'taken'; readonly by: readonly string[] }
  | { readonly state: 'unknown'; readonly unseen: readonly string[] };

/** The flags that a plan depends on. */
export type GuestFlags = {
  readonly allowRestart: boolean;
  readonly allowIpConflicts: boolean;
  /** Whether a guest that was not made by nx-mooring may be taken over. */
  readonly adopt: boolean;
};

/** What provision would do to one guest. */
export type ProvisionPlan = {
  readonly changes: readonly Change[];
  /** What forbids to begin. */
  readonly problems: readonly MooringError[];
  readonly verdict: Verdict;
  /**
   * Does what the plan says. After a lost answer the guest is read again, and what is there decides.
   *
   * @returns the guest as it is then
   */
  apply(): Promise<FoundGuest>;
};

/** Where an environment's guests live, and how that is reached. */
export type GuestSite = {
  readonly environment: string;
  /** Address of the API: scheme, host and port. */
  readonly url: string;
  readonly tokenId: string;
  readonly tokenSecret: Secret;
  /** What the server is proved by: the SHA-256 fingerprint of its certificate, or the CA (PEM). */
  readonly fingerprint: string | undefined;
  readonly ca: string | undefined;
  readonly node: string;
  /** For the disks of guests that name none. */
  readonly storage: string | undefined;
  /** Guests whose addresses are set inside of them, and are known to be others. */
  readonly knownElsewhere: readonly number[];
  /** Who may log in to a new guest. */
  readonly publicKeys: readonly string[];
  /** The host that is asked who has an address, and whether the environment names it: then it has to see the network. */
  readonly probe: { readonly host: string; readonly configured: boolean; open(): Promise<Host> };
};

/** The run that asks. */
export type GuestAsker = { readonly signal: AbortSignal; progress(line: string): void };

/** Where guests live, for one run: what its guests need in common is looked up once. */
export type GuestPlatform = {
  /** As messages name it. */
  readonly name: string;
  /** The guest as it is; nothing where it is absent. */
  find(wanted: WantedGuest): Promise<FoundGuest | undefined>;
  /** Waits until a guest that an earlier run began to create is whole: before that it does not say whose it is. */
  wholeIfCreating(guest: DescribedGuest): Promise<void>;
  /** Looks at one guest and at everything that it needs, and plans. Changes nothing. */
  plan(guest: DescribedGuest, flags: GuestFlags): Promise<ProvisionPlan>;
  /** Who has an address, asked from the environment's probe host. */
  neighbour(address: string): Promise<NeighbourAnswer>;
  close(): void;
};

/** Opens the platform of an environment's guests. Nothing is asked yet. */
export type OpenGuestPlatform = (site: GuestSite, asker: GuestAsker) => GuestPlatform;
