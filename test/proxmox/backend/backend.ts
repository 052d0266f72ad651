import type { LiveInterface } from '../double/state.ts';

/** What a guest is made of, read from its configuration. */
export type BackendGuest = {
  readonly vmid: number;
  readonly hostname: string;
  readonly interfaces: readonly {
    readonly name: string;
    readonly bridge: string;
    readonly hwaddr: string;
    /** CIDR, `dhcp` or `manual`. */
    readonly ip: string;
    readonly gw?: string | undefined;
  }[];
  readonly nameservers: readonly string[];
  readonly memoryMiB: number;
  readonly cores?: number | undefined;
  readonly nesting: boolean;
  readonly unprivileged: boolean;
};

/** What is given once, when a guest is made. */
export type Birth = { readonly template: string; readonly sshKeys: string; readonly password?: string | undefined };

/** Where the double's guests really are. Every method may be called again after it was interrupted. */
export interface GuestBackend {
  /** Makes a guest that does not run yet. */
  create(guest: BackendGuest, birth: Birth): Promise<void>;
  /** Brings it up with this configuration. */
  start(guest: BackendGuest): Promise<void>;
  /** Takes it down: hard, or by asking its init first. */
  stop(vmid: number, how: 'hard' | 'gentle'): Promise<void>;
  /** Applies what can be applied while it runs. */
  update(guest: BackendGuest): Promise<void>;
  destroy(vmid: number): Promise<void>;
  running(vmid: number): Promise<boolean>;
  interfaces(vmid: number): Promise<LiveInterface[]>;
  exec(vmid: number, argv: readonly string[], stdin?: string): Promise<{ code: number; stdout: string; stderr: string }>;
}
