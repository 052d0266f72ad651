import { z } from 'zod';
import { whole, yes } from './answer.ts';
import type { Bridge } from './bridge.ts';
import type { Proxmox } from './client.ts';

/** A storage of a node. */
export type Storage = {
  readonly storage: string;
  readonly type: string;
  /** What may be put into it: `rootdir`, `vztmpl`, … */
  readonly content: readonly string[];
  /** It is enabled and can be reached now. */
  readonly usable: boolean;
  readonly availableBytes?: number | undefined;
};

const storages = z.array(
  z
    .object({
      storage: z.string(),
      type: z.string(),
      content: z.string(),
      active: yes.default(false),
      enabled: yes.default(true),
      avail: whole.optional(),
    })
    .transform(
      ({ storage, type, content, active, enabled, avail }): Storage => ({
        storage,
        type,
        content: content.split(/[,; ]+/),
        usable: active && enabled,
        availableBytes: avail,
      }),
    ),
);

/** Storages of a node that the token may see. */
export async function listStorages(proxmox: Proxmox, node: string): Promise<Storage[]> {
  return proxmox.get(['nodes', node, 'storage'], storages);
}

/** Bridges of a node that a guest can be connected to, virtual networks too. */
export async function listBridges(proxmox: Proxmox, node: string): Promise<Bridge[]> {
  const bridges = z.array(z.object({ iface: z.string(), type: z.string() }));
  const found = await proxmox.get(['nodes', node, 'network'], bridges, { type: 'any_bridge' });
  return found.map(({ iface, type }) => ({ name: iface, vnet: type === 'vnet' }));
}

/** The zones of the cluster's virtual networks: of those that the token may audit. */
export async function listVnets(proxmox: Proxmox): Promise<Record<string, string>> {
  const vnets = z.array(z.object({ vnet: z.string(), zone: z.string().optional() }));
  const found = await proxmox.get(['cluster', 'sdn', 'vnets'], vnets);
  return Object.fromEntries(found.flatMap(({ vnet, zone }) => (zone === undefined ? [] : [[vnet, zone]])));
}

const version = z.object({ version: z.string().regex(/^\d+\./) });

/** Its major version: `7.4-17` and `9.1.4` are 7 and 9. */
export async function majorVersion(proxmox: Proxmox): Promise<number> {
  const found = await proxmox.get(['version'], version);
  return Number.parseInt(found.version, 10);
}

/** Templates that lie in a storage, as volumes: `local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst`. */
export async function listTemplates(proxmox: Proxmox, node: string, storage: string): Promise<string[]> {
  const found = await proxmox.get(['nodes', node, 'storage', storage, 'content'], z.array(z.object({ volid: z.string() })), {
    content: 'vztmpl',
  });
  return found.map(({ volid }) => volid);
}

/** Names of the templates that the node can download by itself. */
export async function listDownloads(proxmox: Proxmox, node: string): Promise<string[]> {
  const found = await proxmox.get(['nodes', node, 'aplinfo'], z.array(z.object({ template: z.string() })));
  return found.map(({ template }) => template);
}
