import { isIP } from 'node:net';
import { z } from 'zod';
import { MooringError, showError } from '../../engine/errors.ts';
import type { Proxmox } from './client.ts';
import type { ListedGuest, ListedNode } from './cluster.ts';
import { type GuestConfig, guestConfig, interfaceNumbers } from './config.ts';
import { NET, QEMU_IPCONFIG, QEMU_NET } from './formats.ts';
import { parseProperties } from './property-string.ts';

/** An address that a guest has or will have, and how that is known. */
export type GuestAddress = {
  /** Without its length. */
  readonly address: string;
  readonly guest: ListedGuest;
  /** `net0`, or the name of the interface inside the guest. */
  readonly interface: string;
  readonly mac?: string | undefined;
  /** `current`: configured; `pending`: configured for the next start; `live`: seen on the running guest. */
  readonly found: 'current' | 'pending' | 'live';
};

/** An interface whose address is not in the configuration. */
export type DynamicInterface = {
  readonly guest: ListedGuest;
  readonly interface: string;
  readonly mac?: string | undefined;
  readonly why: string;
};

/** Something that could not be looked at, so that nothing can be said of its addresses. */
export type Unseen = {
  readonly what: string;
  readonly why: string;
  /** Nothing where it is a whole node. */
  readonly guest?: ListedGuest;
  /** What runs now could be seen otherwise; what is configured could not. */
  readonly liveOnly?: true;
};

export type Addresses = {
  readonly addresses: readonly GuestAddress[];
  readonly dynamic: readonly DynamicInterface[];
  readonly unseen: readonly Unseen[];
};

type Configured = Pick<Addresses, 'addresses' | 'dynamic'>;

/** The address of a static setting, `10.0.0.5/24`; nothing for `dhcp`, `manual` and the like. */
function staticAddress(value: string | undefined): string | undefined {
  return value?.includes('/') ? value.split('/')[0] : undefined;
}

/** What a guest's configuration says of its addresses. Pure. */
function configuredAddresses(guest: ListedGuest, config: GuestConfig, found: 'current' | 'pending'): Configured {
  const per = interfaceNumbers(config.options).map((n) => (guest.type === 'lxc' ? lxcInterface : qemuInterface)(guest, config, n));
  return {
    addresses: per.flatMap(({ name, mac, ips }) =>
      ips.flatMap((ip) => {
        const address = staticAddress(ip);
        return address === undefined ? [] : [{ address, guest, interface: name, mac, found }];
      }),
    ),
    dynamic: per.flatMap(({ name, mac, ips }) => {
      const why = ips.every((ip) => ip === undefined || ip === 'manual')
        ? 'set inside the guest'
        : ips.find((ip) => ip === 'dhcp' || ip === 'auto');
      return why === undefined ? [] : [{ guest, interface: name, mac, why }];
    }),
  };
}

type Interface = { name: string; mac: string | undefined; ips: (string | undefined)[] };

function lxcInterface(_: ListedGuest, { options }: GuestConfig, n: number): Interface {
  const net = parseProperties(NET, options[`net${n}`] ?? '');
  return { name: `net${n}`, mac: net.hwaddr?.toUpperCase(), ips: [net.ip, net.ip6] };
}

function qemuInterface(_: ListedGuest, { options }: GuestConfig, n: number): Interface {
  const net = parseProperties(QEMU_NET, options[`net${n}`] ?? '');
  const cloudInit = parseProperties(QEMU_IPCONFIG, options[`ipconfig${n}`] ?? '');
  return { name: `net${n}`, mac: net.macaddr?.toUpperCase(), ips: [cloudInit.ip, cloudInit.ip6] };
}

const ipAddresses = z.array(z.object({ 'ip-address': z.string().default('') })).default([]);

/** The answer to GET …/lxc/…/interfaces; `inet` and `inet6` are one of several each, and old versions have nothing else. */
const lxcInterfaces = z.array(
  z.object({
    name: z.string(),
    hwaddr: z.string(),
    inet: z.string().optional(),
    inet6: z.string().optional(),
    'ip-addresses': ipAddresses,
  }),
);

/** The answer to GET …/agent/network-get-interfaces. */
const agentInterfaces = z.object({
  result: z.array(
    z.object({
      name: z.string(),
      'hardware-address': z.string().optional(),
      'ip-addresses': ipAddresses,
    }),
  ),
});

/** Addresses that a running guest has now, without those of its loopback. @throws when it cannot be asked */
async function liveAddresses(proxmox: Proxmox, guest: ListedGuest): Promise<GuestAddress[]> {
  const at = ['nodes', guest.node, guest.type, guest.vmid] as const;
  const found =
    guest.type === 'lxc'
      ? (await proxmox.get([...at, 'interfaces'], lxcInterfaces)).map((one) => ({
          name: one.name,
          mac: one.hwaddr,
          ips: [one.inet, one.inet6, ...one['ip-addresses'].map((each) => each['ip-address'])],
        }))
      : (await proxmox.get([...at, 'agent', 'network-get-interfaces'], agentInterfaces)).result.map((one) => ({
          name: one.name,
          mac: one['hardware-address'],
          ips: one['ip-addresses'].map((each) => each['ip-address']),
        }));
  return found
    .filter(({ name }) => name !== 'lo')
    .flatMap(({ name, mac, ips }) =>
      [...new Set(ips.map((ip) => ip?.split('/')[0] ?? ''))]
        .filter((ip) => isIP(ip) !== 0)
        .map((address) => ({ address, guest, interface: name, mac: mac?.toUpperCase(), found: 'live' as const })),
    );
}

/**
 * Every address of the given guests, configured now, configured for the next start, and (for running guests whose addresses are not in
 * their configuration) live. What could not be seen is told, guest by guest; it is never left out.
 */
export async function gatherAddresses(proxmox: Proxmox, guests: readonly ListedGuest[], nodes: readonly ListedNode[]): Promise<Addresses> {
  const offline = nodes.filter(({ online }) => !online).map(({ node }) => ({ what: `guests of node ${node}`, why: 'the node is offline' }));
  const parts = await inTurns(guests, 8, (guest) => gatherOne(proxmox, guest));
  return {
    addresses: parts.flatMap(({ addresses }) => addresses),
    dynamic: parts.flatMap(({ dynamic }) => dynamic),
    unseen: [...offline, ...parts.flatMap(({ unseen }) => unseen)],
  };
}

async function gatherOne(proxmox: Proxmox, guest: ListedGuest): Promise<Addresses> {
  const what = `${guest.type} ${guest.vmid} (${guest.name}) on ${guest.node}`;
  const at = ['nodes', guest.node, guest.type, guest.vmid, 'config'];
  const unseen = (error: unknown): Unseen[] => [
    { what, why: error instanceof MooringError ? (showError(error).split('\n')[0] ?? '') : String(error), guest },
  ];
  try {
    const [current, next] = await Promise.all([proxmox.get(at, guestConfig, { current: true }), proxmox.get(at, guestConfig)]);
    const now = configuredAddresses(guest, current, 'current');
    const later = configuredAddresses(guest, next, 'pending');
    const known = new Set(now.addresses.map(({ address, interface: name }) => `${name} ${address}`));
    const addresses = [...now.addresses, ...later.addresses.filter(({ address, interface: name }) => !known.has(`${name} ${address}`))];
    if (now.dynamic.length === 0 || guest.status !== 'running') return { addresses, dynamic: now.dynamic, unseen: [] };
    try {
      return { addresses: [...addresses, ...(await liveAddresses(proxmox, guest))], dynamic: now.dynamic, unseen: [] };
    } catch (error) {
      return { addresses, dynamic: now.dynamic, unseen: unseen(error).map((one) => ({ ...one, liveOnly: true })) };
    }
  } catch (error) {
    return { addresses: [], dynamic: [], unseen: unseen(error) };
  }
}

/** Works on all items, so many at a time, results in their order. */
async function inTurns<A, B>(items: readonly A[], width: number, work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as A);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
