/** An IPv4 address in its network: `10.20.0.101/24`. */
export type Cidr = {
  /** `10.20.0.101`. */
  readonly address: string;
  /** `24`. */
  readonly prefix: number;
  /** `10.20.0.0`. */
  readonly network: string;
  /** `10.20.0.255`. */
  readonly broadcast: string;
};

/** Takes `10.20.0.101/24` apart. The text has been checked to be one. */
export function parseCidr(text: string): Cidr {
  const [address = '', length = ''] = text.split('/');
  const prefix = Number(length);
  const hosts = 2 ** (32 - prefix);
  const network = Math.floor(toNumber(address) / hosts) * hosts;
  return { address, prefix, network: toText(network), broadcast: toText(network + hosts - 1) };
}

/** Whether an address is in a network. */
export function contains(cidr: Cidr, address: string): boolean {
  return toNumber(address) >= toNumber(cidr.network) && toNumber(address) <= toNumber(cidr.broadcast);
}

function toNumber(address: string): number {
  return address.split('.').reduce((all, part) => all * 256 + Number(part), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
