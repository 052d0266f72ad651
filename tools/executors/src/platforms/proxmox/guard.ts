import type { NeighbourAnswer, Verdict } from '../../engine/guest-platform.ts';
import type { Addresses, DynamicInterface, GuestAddress } from './addresses.ts';
import type { ListedGuest } from './cluster.ts';

/** All evidence about one address. */
export type GuardFacts = {
  /** What the cluster's guests have configured, and have live. */
  readonly addresses: Addresses;
  /** Whether the token is shown every guest. */
  readonly complete: boolean;
  /** What a host found; an error text where one is configured and could not be asked. */
  readonly neighbour: NeighbourAnswer;
  /** The host was configured for this: then it has to see the network. */
  readonly probeConfigured: boolean;
  /** Guests whose addresses are set inside of them and are known to be others. */
  readonly knownElsewhere: readonly number[];
};

/** The guest that is to have the address. */
export type Claim = { readonly address: string; readonly vmid: number };

/**
 * Judges by all evidence whether an address is free for a guest. The guest itself is no conflict. "Taken" outweighs "unknown",
 * and unknown is not free. Pure.
 */
export function judgeAddress(claim: Claim, facts: GuardFacts): Verdict {
  const by = [...byGuests(claim, facts), ...byNeighbours(claim, facts)];
  if (by.length > 0) return { state: 'taken', by };
  const unseen = [...unseenGuests(claim, facts), ...unseenNetwork(facts)];
  if (unseen.length > 0) return { state: 'unknown', unseen };
  return { state: 'free', because: reasons(facts) };
}

function byGuests({ address, vmid }: Claim, { addresses }: GuardFacts): string[] {
  const found = addresses.addresses.filter((one) => one.address === address && one.guest.vmid !== vmid);
  return found.map((one) => `${show(one.guest)}: ${HOW[one.found]} of ${one.interface}${one.mac === undefined ? '' : ` (${one.mac})`}`);
}

const HOW: Readonly<Record<GuestAddress['found'], string>> = {
  current: 'in the configuration',
  pending: 'in the configuration for the next start',
  live: 'seen on the running guest, live,',
};

function byNeighbours({ address, vmid }: Claim, { addresses, neighbour }: GuardFacts): string[] {
  if ('error' in neighbour) return [];
  const known: readonly (GuestAddress | DynamicInterface)[] = [...addresses.addresses, ...addresses.dynamic];
  const { mac, host, ping, own } = neighbour;
  if (own) return [`${host} itself, which was asked`];
  if (mac !== undefined) {
    const owner = known.find((one) => one.mac?.toUpperCase() === mac.toUpperCase())?.guest;
    if (owner?.vmid === vmid) return [];
    return [
      `${owner === undefined ? `MAC ${mac}, which belongs to no guest` : `${show(owner)}, MAC ${mac}`}: it answers ARP, asked from ${host}`,
    ];
  }
  if (ping !== true) return [];
  // Without ARP it is not known who answers: the guest itself does, where it runs with this address.
  const itself = known.some(
    (one) => one.guest.vmid === vmid && one.guest.status === 'running' && 'address' in one && one.address === address,
  );
  return itself ? [] : [`something that answers ping, asked from ${host} over a router`];
}

/** Guests that may have the address for all that can be seen. */
function unseenGuests({ vmid }: Claim, { addresses, complete, neighbour, knownElsewhere }: GuardFacts): string[] {
  // What runs in this network would have answered ARP.
  const heard = !('error' in neighbour) && neighbour.onLink;
  const inside = addresses.dynamic.filter(
    ({ guest, why }) =>
      guest.vmid !== vmid &&
      !guest.template &&
      guest.status !== 'running' &&
      why === 'set inside the guest' &&
      !knownElsewhere.includes(guest.vmid),
  );
  const unseen = addresses.unseen.filter(
    ({ guest, liveOnly }) =>
      guest === undefined || (guest.vmid !== vmid && !knownElsewhere.includes(guest.vmid) && !(heard && liveOnly === true)),
  );
  return [
    ...(complete ? [] : ['guests that the token may not see: it lacks VM.Audit on /vms']),
    ...unseen.map(({ what, why }) => `${what}: ${why}`),
    ...inside.map(({ guest, interface: name }) => `${show(guest)}: the address of ${name} is set inside of it`),
  ];
}

function unseenNetwork({ neighbour, probeConfigured }: GuardFacts): string[] {
  if (!probeConfigured) return [];
  if ('error' in neighbour) return [`the network, from the probe host ${neighbour.host}: ${neighbour.error}`];
  return neighbour.onLink ? [] : [`the network, from the probe host ${neighbour.host}: the address is in none of its own networks`];
}

function reasons({ addresses, neighbour }: GuardFacts): string[] {
  const guests = new Set([...addresses.addresses, ...addresses.dynamic].map(({ guest }) => guest.vmid)).size;
  const [arp, ping, answers] =
    'error' in neighbour ? [false, undefined, false] : [neighbour.onLink, neighbour.ping, neighbour.mac !== undefined];
  return [
    `none of ${guests} guests of the cluster has it`,
    arp
      ? `${answers ? 'only the guest itself' : 'nobody'} answers ARP for it, asked from ${neighbour.host}`
      : `${ping === undefined ? 'nobody could be asked by ping or ARP' : 'nothing answers ping; nobody could be asked by ARP'}, so other machines than guests were not seen for certain`,
  ];
}

function show(guest: ListedGuest): string {
  return `${guest.type} ${guest.vmid} (${guest.name}, ${guest.status}) on ${guest.node}`;
}
