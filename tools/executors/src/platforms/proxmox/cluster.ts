import { z } from 'zod';
import { whole, yes } from './answer.ts';
import type { Proxmox } from './client.ts';

/** A guest as the cluster's list has it. Only guests that the token may see are in that list. */
export type ListedGuest = {
  readonly vmid: number;
  readonly type: 'lxc' | 'qemu';
  readonly node: string;
  readonly name: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly template: boolean;
};

export type ListedNode = { readonly node: string; readonly online: boolean };

const guest = z
  .object({
    vmid: whole,
    type: z.enum(['lxc', 'qemu']),
    node: z.string(),
    name: z.string().optional(),
    status: z.string().default('unknown'),
    tags: z.string().default(''),
    template: yes.default(false),
  })
  .transform(
    ({ name, tags, template, ...rest }): ListedGuest => ({
      ...rest,
      name: name ?? `${rest.type}-${rest.vmid}`,
      tags: tags.split(/[;, ]+/).filter((tag) => tag !== ''),
      template,
    }),
  );

const node = z
  .object({ node: z.string(), status: z.string().default('unknown') })
  .transform(({ node, status }): ListedNode => ({ node, online: status === 'online' }));

/** Guests of the cluster that the token may see, by number. */
export async function listGuests(proxmox: Proxmox): Promise<ListedGuest[]> {
  const guests = await proxmox.get(['cluster', 'resources'], z.array(guest), { type: 'vm' });
  return guests.sort((a, b) => a.vmid - b.vmid);
}

/** Nodes of the cluster. */
export async function listNodes(proxmox: Proxmox): Promise<ListedNode[]> {
  return proxmox.get(['nodes'], z.array(node));
}
