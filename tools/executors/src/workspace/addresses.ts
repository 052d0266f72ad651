import { normalize } from 'node:path';
import { InputError, type MooringError } from '../engine/errors.ts';
import { isInNetwork, parseInterface } from '../engine/ip.ts';
import type { AppInEnvironment } from './app-target.ts';

/**
 * Where the guests of a workspace would be in each other's way, or could not be reached: the checks that need no host.
 * Each problem names both places that clash.
 *
 * @param targets of all environments
 */
export function addressProblems(targets: readonly AppInEnvironment[]): MooringError[] {
  return [
    ...targets.flatMap(ownProblems),
    ...installations(targets).flatMap((own) => [
      ...clashes(own, 'ip', addressOf, 'give each guest an address of its own'),
      ...clashes(own, 'vmid', ({ guest }) => `${guest.vmid}`, 'give each guest a number of its own'),
      ...clashes(own, 'name', ({ guest }) => guest.name, 'give each guest a host name of its own'),
      ...own.flatMap((target) => gatewaysOfOthers(target, own)),
    ]),
    ...sharedKnownHosts(targets),
  ];
}

const addressOf = ({ guest }: AppInEnvironment) => parseInterface(guest.ip).address;

/**
 * The targets of each Proxmox installation: what is private there may be the same in another one. Two environments are of one installation
 * where the URL or the pinned certificate is the same. That two URLs lead to nodes of one cluster is not known from the files; what is taken
 * there is found before a guest is created.
 */
function installations(targets: readonly AppInEnvironment[]): AppInEnvironment[][] {
  let found: { marks: readonly string[]; targets: readonly AppInEnvironment[] }[] = [];
  for (const target of targets) {
    const marks = marksOf(target);
    const same = found.filter((one) => one.marks.some((mark) => marks.includes(mark)));
    const whole = { marks: [...same.flatMap((one) => one.marks), ...marks], targets: [...same.flatMap((one) => one.targets), target] };
    found = [...found.filter((one) => !same.includes(one)), whole];
  }
  return found.map((one) => targets.filter((target) => one.targets.includes(target)));
}

/** What tells an installation: `https://PVE.example.org` and `https://pve.example.org:443/` are one. */
function marksOf({ environment: { proxmox } }: AppInEnvironment): string[] {
  return [new URL(proxmox.url).origin, ...(proxmox.fingerprint === undefined ? [] : [proxmox.fingerprint.toUpperCase()])];
}

/** In a file of host keys an address is one machine, whatever installations there are. */
function sharedKnownHosts(targets: readonly AppInEnvironment[]): MooringError[] {
  const first = new Map<string, AppInEnvironment>();
  return targets.flatMap((target) => {
    const file = target.environment.proxmox.knownHosts;
    if (file === undefined) return [];
    const key = `${addressOf(target)} ${normalize(file)}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, target);
    if (other === undefined || installations([other, target]).length === 1) return [];
    return [
      new InputError(
        `${place(target, 'ip')}: ${addressOf(target)} is also ${place(other, 'ip')}, on another Proxmox, and ${file} keeps the host keys of both`,
        { next: `another "knownHosts" in "proxmox" of ${target.environment.name}.json` },
      ),
    ];
  });
}

/** A field of a guest, as messages name it. */
function place({ root, environment }: AppInEnvironment, field: string): string {
  return `${root}/app.json: environments.${environment.name}.${field}`;
}

function ownProblems(target: AppInEnvironment): MooringError[] {
  const { ip, gateway } = target.guest;
  const own = parseInterface(ip);
  const problem = (what: string, next: string) => new InputError(`${place(target, 'ip')}: ${own.address} is ${what}`, { next });
  const problems: MooringError[] = [];
  if (own.address === gateway) problems.push(problem(`also ${place(target, 'gateway')}`, 'give the guest an address of its own'));
  if (own.address === own.network)
    problems.push(problem(`the address of its network ${own.network}/${own.prefix} itself`, 'take a host address'));
  if (own.address === own.broadcast)
    problems.push(problem(`the broadcast address of its network ${own.network}/${own.prefix}`, 'take a host address'));
  if (!isInNetwork(gateway, ip) || gateway === own.network || gateway === own.broadcast) {
    problems.push(
      new InputError(
        `${place(target, 'gateway')}: ${gateway} is not a host of ${own.network}/${own.prefix}, the network of ${place(target, 'ip')} (${ip})`,
        { next: 'a gateway inside of the network, or another length of the network' },
      ),
    );
  }
  return problems;
}

/** Pairs that have the same value: each place with the first that has it. */
function clashes(
  targets: readonly AppInEnvironment[],
  field: string,
  key: (target: AppInEnvironment) => string,
  next: string,
): MooringError[] {
  const first = new Map<string, AppInEnvironment>();
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
function gatewaysOfOthers(target: AppInEnvironment, targets: readonly AppInEnvironment[]): MooringError[] {
  const { address } = parseInterface(target.guest.ip);
  const other = targets.find((one) => one !== target && one.guest.gateway === address && one.guest.gateway !== target.guest.gateway);
  if (other === undefined) return [];
  return [
    new InputError(`${place(target, 'ip')}: ${address} is ${place(other, 'gateway')}`, {
      next: 'give the guest an address that is not a gateway',
    }),
  ];
}
