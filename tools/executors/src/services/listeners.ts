import ipaddr from 'ipaddr.js';
import { script } from '../engine/command.ts';
import { InputError, MooringError } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { shellProgram } from '../shell/program.ts';

/** A program that has a socket open. */
export type Program = {
  readonly name: string;
  readonly pid: number;
  /** Its control group, whose path names the unit: `/system.slice/redis-server.service`. Empty where it ended meanwhile. */
  readonly group: string;
};

/** A TCP socket that something in the container listens on. */
export type Listener = {
  /** As ss(8) writes it, without brackets: `127.0.0.1`, `0.0.0.0`, `::`; `*` is every address of both families. */
  readonly address: string;
  readonly port: number;
  /** None where ss(8) does not see them. */
  readonly programs: readonly Program[];
};

/** A port that a service is going to listen on. */
export type WantedPort = {
  readonly port: number;
  /** Where: one address, `0.0.0.0` for all of IPv4, or `*` for all; `*` when left out. */
  readonly address?: string;
  /** The setting that says so, as container.json has it: `"port"`. None for a port that is fixed. */
  readonly setting?: string;
  /** Programs that share it with the service: they are no reason to refuse it. */
  readonly sharedWith?: readonly string[];
};

/** The shell function `listeners`, whose output {@link takeListeners} takes. */
export function printListeners(): string {
  return shellProgram(import.meta.url, 'listeners.sh');
}

/** Everything that listens in the container. For {@link refuseTakenPorts}, where the plan of a service has no trial that knows it. */
export function listeners(): Fact<readonly Listener[]> {
  return {
    name: 'what listens in the container',
    command: script('read', `${printListeners()}\nlisteners`),
    parse: ({ stdout }) => takeListeners(stdout).listeners,
  };
}

/** The listeners that an output begins with, and the rest of it. @throws MooringError on a line of ss that is not known */
export function takeListeners(output: string): { listeners: Listener[]; rest: string } {
  const lines = output.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('listener '));
  const told = lines.slice(0, end).map((line) => line.slice('listener '.length));
  // Of the two hierarchies of a host with both, systemd keeps its units in the named one.
  const groups = new Map<number, string>();
  for (const line of told.toSorted()) {
    const [, pid, path = ''] = /^\/proc\/(\d+)\/cgroup:\d+:[^:]*:(.*)$/.exec(line) ?? [];
    if (pid !== undefined) groups.set(Number(pid), path);
  }
  const sockets = told.filter((line) => !line.startsWith('/proc/'));
  return { listeners: sockets.map((line) => listener(line, groups)), rest: lines.slice(end).join('\n') };
}

function listener(line: string, groups: ReadonlyMap<number, string>): Listener {
  const [, address, port, users = ''] = /^\s*\d+\s+\d+\s+(\S+):(\d+)\s+\S+\s*(?:users:\((.*)\))?\s*$/.exec(line) ?? [];
  if (address === undefined || port === undefined) throw new MooringError(`ss printed a line that is not known: ${line}`);
  const programs = [...users.matchAll(/\("(.*?)",pid=(\d+),fd=\d+\)/g)].map(([, name = '', pid]) => ({
    name,
    pid: Number(pid),
    group: groups.get(Number(pid)) ?? '',
  }));
  return { address: address.replace(/%[^\]]*/, '').replace(/^\[(.*)\]$/, '$1'), port: Number(port), programs };
}

/**
 * Refuses a plan whose service would not get one of its ports, as another program of the container has it. Pure.
 *
 * @param found what listens; left out where it was not looked at
 * @param unit the systemd unit of the service: what runs in it gives its ports up when it is restarted
 * @throws InputError
 */
export function refuseTakenPorts(found: readonly Listener[] | undefined, wanted: readonly WantedPort[], unit: string): void {
  const taken = wanted.flatMap((want) => {
    const by = found?.find((listener) => takes(listener, want, unit));
    return by === undefined ? [] : [{ want, by }];
  });
  if (taken.length === 0) return;
  const what = taken.map(({ want, by }) => `port ${want.port} of the container is taken: ${nameOf(by)} listens on ${show(by)}`);
  throw new InputError(what.join('; '), { next: nextOf(taken) });
}

function takes(listener: Listener, { port, address = '*', sharedWith = [] }: WantedPort, unit: string): boolean {
  const { programs } = listener;
  if (listener.port !== port || !overlap(listener.address, address)) return false;
  return programs.length === 0 || !programs.some(({ name, group }) => sharedWith.includes(name) || isIn(unit, group));
}

function isIn(unit: string, group: string): boolean {
  return group.split('/').includes(unit.includes('.') ? unit : `${unit}.service`);
}

/** Whether two sockets that listen on these addresses, and on one port, cannot both be there. */
function overlap(one: string, other: string): boolean {
  const [a, b] = [normal(one), normal(other)];
  if (a === '*' || b === '*') return true;
  if (a.includes(':') !== b.includes(':')) return false;
  return a === b || [a, b].some((address) => address === '0.0.0.0' || address === '::');
}

/** An address in the one way to write it; one of IPv4 that is written as IPv6 is of IPv4. */
function normal(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}

function show({ address, port }: Listener): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The unit that the control group of a program is of, if systemd can stop it by its name. */
function unitOf({ group }: Program): string | undefined {
  return group.split('/').findLast((part) => part.endsWith('.service') || part.endsWith('.scope'));
}

function nameOf({ programs }: Listener): string {
  const [first] = programs;
  if (first === undefined) return 'a program that cannot be seen from the container';
  const unit = unitOf(first);
  return `${first.name} (process ${first.pid}${unit === undefined ? '' : ` of ${unit}`})`;
}

function nextOf(taken: readonly { want: WantedPort; by: Listener }[]): string {
  const settings = [...new Set(taken.flatMap(({ want }) => want.setting ?? []))];
  const ends = [...new Set(taken.map(({ by }) => end(by)))].join(', ');
  const other = settings.length === 0 ? '' : `choose another ${settings.join(' and ')} in container.json, or `;
  return `${other}end what listens there (${ends}, in the container); then run the same command again`;
}

function end({ programs, port }: Listener): string {
  const [first] = programs;
  if (first === undefined) return `ss -ltnp sport = :${port}`;
  if (first.pid === 1) return 'systemctl list-sockets';
  const unit = unitOf(first);
  return unit?.endsWith('.service') ? `systemctl stop ${unit}` : `kill ${first.pid}`;
}
