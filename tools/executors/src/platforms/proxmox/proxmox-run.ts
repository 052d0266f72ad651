import type { GuestAsker, GuestSite } from '../../engine/guest-platform.ts';
import type { Proxmox } from './client.ts';

/** One run at work on the guests of a Proxmox VE. */
export type ProxmoxRun = GuestAsker & { readonly client: Proxmox; readonly site: GuestSite };
