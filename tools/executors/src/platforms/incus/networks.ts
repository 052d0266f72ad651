import { InputError } from '../../engine/errors.ts';
import type { InstanceFacts } from '../../engine/instance.ts';
import { networkOf } from '../../engine/ip.ts';

/**
 * The networks (CIDR, host bits zero) whose hosts may connect to the services: the environment's Incus network, by what
 * Incus says of its addresses, and the further ones that the environment file names.
 *
 * @throws InputError when there is no such network, or it has no address that Incus knows and the environment names no `clients`
 */
export function clientNetworks(
  facts: Pick<InstanceFacts, 'networks'>,
  environment: { name: string; network: string; clients: readonly string[] },
): string[] {
  const network = facts.networks?.find(({ name }) => name === environment.network);
  if (network === undefined) {
    throw new InputError(`there is no network ${environment.network} on this host`, {
      next: `fix network in infra/environments/${environment.name}.json; what is there: incus network list`,
    });
  }
  const all = [...new Set([...subnetsOf(facts, environment.network), ...environment.clients.map(networkOf)])];
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

/** The networks (CIDR) of an Incus network's own addresses; none where Incus knows of none. */
export function subnetsOf(facts: Pick<InstanceFacts, 'networks'>, name: string): string[] {
  const config = facts.networks?.find((network) => network.name === name)?.config;
  return ['ipv4.address', 'ipv6.address'].flatMap((key) => (config?.[key]?.includes('/') ? [networkOf(config[key])] : []));
}
