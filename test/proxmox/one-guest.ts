import { type Guest, type GuestConfig, readGuest } from '../../tools/executors/src/platforms/proxmox/config.ts';
import { NET } from '../../tools/executors/src/platforms/proxmox/formats.ts';
import { parseProperties } from '../../tools/executors/src/platforms/proxmox/property-string.ts';
import { create, type Running, running } from './testing.ts';

/* A double with one guest, 101. */

export const place = { node: 'pve', vmid: 101 };
export const folder = ['nodes', 'pve', 'lxc', 101];

export async function withOneGuest(more: Parameters<typeof create>[2], given: Parameters<typeof running>[0] = {}): Promise<Running> {
  const made = await running(given);
  await create(made.client, 101, more);
  return made;
}

/** @throws when there is none */
export async function readOne({ client }: Running): Promise<Guest> {
  const found = await readGuest(client, place);
  if (found === undefined) throw new Error('there is no guest 101');
  return found;
}

/** Its first network interface. */
export const net0 = ({ options }: GuestConfig) => parseProperties(NET, options.net0 ?? '');
