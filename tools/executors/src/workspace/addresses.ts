import { InputError, type MooringError } from '../engine/errors.ts';
import type { AppTarget } from './app-target.ts';
import { contains, parseCidr } from './ipv4.ts';

/**
 * Where the guests of a workspace would be in each other's way, or could not be reached: the checks that need no host.
 * Each problem names both places that clash.
 *
 * @param targets of all environments
 */
export function addressProblems(targets: readonly AppTarget[]): MooringError[] {
  return [
    ...targets.flatMap(ownProblems),
    ...clashes(targets, 'ip', ({ guest }) => parseCidr(guest.ip).address, 'give each guest an address of its own'),
    ...clashes(
      targets,
      'vmid',
      ({ guest, environment }) => `${guest.vmid} on ${environment.proxmox.url}`,
      'give each guest a number of its own',
    ),
    ...clashes(targets, 'name', ({ guest }) => guest.name, 'give each guest a host name of its own'),
    ...targets.flatMap((target) => gatewaysOfOthers(target, targets)),
  ];
}

/** A field of a guest, as messages name it. */
function place({ root, environment }: AppTarget, field: string): string {
  return `${root}/app.json: environments.${environment.name}.${field}`;
}

function ownProblems(target: AppTarget): MooringError[] {
  const { ip, gateway } = target.guest;
  const own = parseCidr(ip);
  const problem = (what: string, next: string) => new InputError(`${place(target, 'ip')}: ${own.address} is ${what}`, { next });
  const problems: MooringError[] = [];
  if (own.address === gateway) problems.push(problem(`also ${place(target, 'gateway')}`, 'give the guest an address of its own'));
  if (own.address === own.network)
    problems.push(problem(`the address of its network ${own.network}/${own.prefix} itself`, 'take a host address'));
  if (own.address === own.broadcast)
    problems.push(problem(`the broadcast address of its network ${own.network}/${own.prefix}`, 'take a host address'));
  if (!contains(own, gateway) || gateway === own.network || gateway === own.broadcast) {
    problems.push(
      new InputError(
        `${place(target, 'gateway')}: ${gateway} is no host of ${own.network}/${own.prefix}, the network of ${place(target, 'ip')} (${ip})`,
        { next: 'a gateway inside of the network, or another length of the network' },
      ),
    );
  }
  return problems;
}

/** Pairs that have the same value: each place with the first that has it. */
function clashes(targets: readonly AppTarget[], field: string, key: (target: AppTarget) => string, next: string): MooringError[] {
  const first = new Map<string, AppTarget>();
  return targets.flatMap((target) => {
    const value = key(target);
    const other = first.get(value);
    if (other === undefined) {
      first.set(value, target);
      return [];
    }
    return [new InputError(`${place(target, field)}: ${value} is also ${place(other, field)}`, { next })];
  });
}

/** The address is what another guest takes for its way out. */
function gatewaysOfOthers(target: AppTarget, targets: readonly AppTarget[]): MooringError[] {
  const { address } = parseCidr(target.guest.ip);
  const other = targets.find((one) => one !== target && one.guest.gateway === address && one.guest.gateway !== target.guest.gateway);
  if (other === undefined) return [];
  return [
    new InputError(`${place(target, 'ip')}: ${address} is ${place(other, 'gateway')}`, {
      next: 'give the guest an address that is no gateway',
    }),
  ];
}
