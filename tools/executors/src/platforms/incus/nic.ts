import type { Instance, InstanceFacts } from '../../engine/instance.ts';
import type { Nic } from '../../engine/instance-platform.ts';
import { isInNetwork } from '../../engine/ip.ts';

type Keys = Readonly<Record<string, string>>;
type Interface = NonNullable<NonNullable<Instance['state']>['network']>[string];

/** The NICs among devices that are on a network: a managed one by its name, a bridge or an interface of the host as their parent. */
export function nicsOn(network: string, devices: Readonly<Record<string, Keys>>): Nic[] {
  return Object.entries(devices)
    .filter(([, { type, network: own, parent }]) => type === 'nic' && (own ?? parent) === network)
    .map(([name, device]) => ({ name, device }));
}

/**
 * The kind of the network cards by which a host cannot reach its own instances (Linux passes nothing between an interface and the macvlan
 * and ipvlan interfaces on it); nothing where one of them is of another kind.
 */
export function unreachableBy(nics: readonly Nic[], networks: InstanceFacts['networks']): string | undefined {
  const kinds = nics.map(({ device }) => device.nictype ?? networks?.find(({ name }) => name === device.network)?.type);
  return kinds.every((kind) => kind === 'macvlan' || kind === 'ipvlan') ? kinds[0] : undefined;
}

/**
 * The instance's address on the environment's network; nothing while it has none. An instance may have others: a bridge of its own
 * (`docker0`), a tunnel, a second NIC. Incus lists them all, so those count that are on the NIC which Incus put there.
 *
 * @param network name of the environment's network
 * @param subnets what is known of the network's addresses; one in the first of them is taken before the others
 */
export function addressOf(instance: Instance, network: string, subnets: readonly string[]): string | undefined {
  const interfaces = Object.entries(instance.state?.network ?? {}).filter(([name]) => name !== 'lo');
  const found = nicsOn(network, instance.expanded_devices)
    .flatMap((nic) => interfacesOf(instance, nic, interfaces))
    .map(({ addresses }) => addresses.filter(({ scope }) => scope === 'global'))
    .map((addresses) => [...addresses.filter(({ family }) => family === 'inet'), ...addresses.filter(({ family }) => family !== 'inet')]);
  const all = found.flat().map(({ address }) => address);
  const inSubnet = subnets.flatMap((subnet) => all.filter((address) => isInNetwork(address, subnet)));
  return inSubnet[0] ?? all[0];
}

/**
 * The interfaces in the instance that a NIC of it is, the surest first: the other end of the veth that Incus made, then those with the
 * MAC address that it gave (a bridge that the NIC is part of has it too, and so has a VLAN on it), the one with the given name first.
 */
function interfacesOf(
  { config }: Pick<Instance, 'config'>,
  { name: nic, device }: Nic,
  interfaces: readonly [name: string, state: Interface][],
): Interface[] {
  const hostName = config[`volatile.${nic}.host_name`] ?? device.host_name;
  const hwaddr = (config[`volatile.${nic}.hwaddr`] ?? device.hwaddr)?.toLowerCase();
  const given = device.name ?? config[`volatile.${nic}.name`];
  const named = interfaces.filter(([name]) => name === given);
  // An ipvlan NIC has neither: its MAC address is its parent's.
  if (hostName === undefined && hwaddr === undefined) return named.map(([, state]) => state);
  const veth = interfaces.filter(([, state]) => hostName !== undefined && state.host_name === hostName);
  const same = (all: typeof interfaces) => all.filter(([, state]) => hwaddr !== undefined && state.hwaddr.toLowerCase() === hwaddr);
  return [...new Set([...veth, ...same(named), ...same(interfaces)].map(([, state]) => state))];
}
