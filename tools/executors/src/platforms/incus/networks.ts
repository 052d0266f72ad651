import { isIPv6 } from 'node:net';
import { InputError } from '../../engine/errors.ts';
import type { IncusFacts } from './facts.ts';

/**
 * The networks (CIDR, host bits zero) whose hosts may connect to the services: the environment's Incus network, by what
 * Incus says of its addresses, and the further ones that the environment file names.
 *
 * @throws InputError when there is no such network, or it has no address that Incus knows and the environment names no `clients`
 */
export function clientNetworks(
  facts: Pick<IncusFacts, 'networks'>,
  environment: { name: string; network: string; clients: readonly string[] },
): string[] {
  const network = facts.networks?.find(({ name }) => name === environment.network);
  if (network === undefined) {
    throw new InputError(`there is no network ${environment.network} on this host`, {
      next: `mend network in infra/environments/${environment.name}.json; what is there: incus network list`,
    });
  }
  const own = ['ipv4.address', 'ipv6.address'].flatMap((key) => {
    const address = network.config[key];
    return address?.includes('/') ? [maskHostBits(address)] : [];
  });
  const all = [...new Set([...own, ...environment.clients.map(maskHostBits)])];
  if (all.length === 0) {
    throw new InputError(
      `the Incus network ${environment.network} has no address of its own (it is not managed by Incus), so it is not known who may connect`,
      {
        next: `name the networks in infra/environments/${environment.name}.json: "clients": ["10.0.0.0/24"]`,
      },
    );
  }
  return all;
}

/** `10.77.0.1/24` becomes `10.77.0.0/24`. */
export function maskHostBits(cidr: string): string {
  const [address = '', length = ''] = cidr.split('/');
  const wide = isIPv6(address);
  const [bits, groupBits] = wide ? [128n, 16n] : [32n, 8n];
  const value = (wide ? expandIPv6(address) : address.split('.').map(Number)).reduce(
    (all, group) => (all << groupBits) | BigInt(group),
    0n,
  );
  const host = (1n << (bits - BigInt(length))) - 1n;
  const masked = value & ~host;
  const groups = Array.from(
    { length: Number(bits / groupBits) },
    (_, i) => (masked >> (bits - groupBits * BigInt(i + 1))) & ((1n << groupBits) - 1n),
  );
  return `${groups.map((group) => group.toString(wide ? 16 : 10)).join(wide ? ':' : '.')}/${length}`;
}

function expandIPv6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  if (tail === undefined) return words(head);
  const missing = 8 - words(head).length - words(tail).length;
  return [...words(head), ...Array<number>(missing).fill(0), ...words(tail)];
}
