import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { InputError } from './errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address with the length of its network, as an interface has it: `10.20.0.101/24`. */
export type Interface = {
  /** `10.20.0.101`. */
  readonly address: string;
  /** `24`. */
  readonly prefix: number;
  /** `10.20.0.0`: all host bits zero. */
  readonly network: string;
  /** `10.20.0.255`: all host bits one, the broadcast address of IPv4. */
  readonly broadcast: string;
};

/**
 * Takes `10.20.0.101/24` apart. Addresses come in the one way to write them (RFC 5952 for IPv6). A network within `::ffff:0:0/96` is
 * IPv4: whoever is in it is seen with its IPv4 address.
 *
 * @throws InputError when the text is no address with the length of a network: a zone, a leading zero and a length that is too big are none
 */
export function parseInterface(text: string): Interface {
  const parsed = parse(text);
  if (parsed === undefined)
    throw new InputError(`'${text}' is not a network in CIDR notation`, { next: 'expected is such as 10.20.0.0/24' });
  const [address, prefix] = parsed;
  const kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const cidr = `${address}/${prefix}`;
  return {
    address: show(address),
    prefix,
    network: show(kind.networkAddressFromCIDR(cidr)),
    broadcast: show(kind.broadcastAddressFromCIDR(cidr)),
  };
}

/** The network that an address with a length is in: `10.77.0.1/24` gives `10.77.0.0/24`. @throws InputError as {@link parseInterface} */
export function networkOf(cidr: string): string {
  const { network, prefix } = parseInterface(cidr);
  return `${network}/${prefix}`;
}

/** Whether a text is one that {@link parseInterface} takes. */
export function isInterface(text: string): boolean {
  return parse(text) !== undefined;
}

/** Whether an address is in a network. What is no address is in none. @throws InputError when the network is none */
export function isInNetwork(address: string, cidr: string): boolean {
  const { network, prefix } = parseInterface(cidr);
  const [one, other] = [parse(`${address}/${isIPv4(address) ? 32 : 128}`)?.[0], ipaddr.parse(network)];
  return one?.kind() === other.kind() && one.match([other, prefix]);
}

/** ipaddr.js reads more than we take (`0x0a.1`, `010.0.0.0`, `fe80::1%eth0`), so the form is checked first. */
function parse(text: string): [Address, number] | undefined {
  const [, address = '', length = ''] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const prefix = Number(length);
  if (isIPv4(address)) return prefix > 32 ? undefined : [ipaddr.IPv4.parse(address), prefix];
  if (!isIPv6(address) || prefix > 128) return undefined;
  // In hex alone: of `::10.0.0.0` ipaddr.js makes `::ffff:10.0.0.0` (2.5.0, `deprecatedTransitional`), which is all of 10.0.0.0/8.
  const wide = ipaddr.IPv6.parse(new URL(`http://[${address}]/`).hostname.slice(1, -1));
  return wide.isIPv4MappedAddress() && prefix >= 96 ? [wide.toIPv4Address(), prefix - 96] : [wide, prefix];
}

function show(address: Address): string {
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}
