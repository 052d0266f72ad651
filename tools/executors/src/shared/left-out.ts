import { HostError, InputError } from '../engine/errors.ts';
import type { NamedEnvironment } from '../workspace/environment.ts';
import { namedHosts } from '../workspace/hosts.ts';
import type { ContainerInEnvironment } from '../workspace/target.ts';

/** What the command line says of the environment's hosts. */
export type HostFlags = {
  /** `--without`. */
  readonly without?: readonly string[] | undefined;
  /** `--new-host`. */
  readonly newHost?: readonly string[] | undefined;
  /** The projects that the command is about. */
  readonly projects?: readonly string[];
};

/**
 * The containers of an environment that a command is about or may touch, and those on hosts that `--without` leaves out. Pure.
 *
 * @throws InputError for a host that the environment does not name, for one that has a container the command is about, and where
 *   none is left
 */
export function divided<T extends Pick<ContainerInEnvironment, 'project' | 'host'>>(
  environment: NamedEnvironment,
  all: readonly T[],
  { without = [], newHost = [], projects = [] }: HostFlags,
): { targets: T[]; leftOut: T[] } {
  refuseUnknown('--without', without, environment);
  refuseUnknown('--new-host', newHost, environment);
  const leftOut = all.filter(({ host }) => without.includes(host));
  const targets = all.filter(({ host }) => !without.includes(host));
  const asked = leftOut.filter(({ project }) => projects.includes(project));
  const rest = targets.filter(({ project }) => projects.includes(project)).map(({ project }) => project);
  if (targets.length === 0 && leftOut.length > 0)
    throw new InputError(`--without leaves out every host of ${environment.name} that has a container`, {
      next: `name those that do not answer; its hosts are ${namedHosts(environment).join(', ')}`,
    });
  if (asked.length > 0)
    throw new InputError(
      `--without excludes host ${[...new Set(asked.map(({ host }) => host))].join(', host ')}, but this command targets containers there: ${asked.map(({ project }) => project).join(', ')}`,
      {
        next:
          rest.length > 0
            ? `the same command with -p ${rest.join(',')}`
            : `name containers of the other hosts: ${targets.map(({ project }) => project).join(', ')}`,
      },
    );
  return { targets, leftOut };
}

/**
 * The error of a host that does not answer, with what leaves it out: it keeps nobody from working on the others, once it is named.
 *
 * @param targets the containers that the run may touch
 */
export function offeringWithout<T extends Pick<ContainerInEnvironment, 'project' | 'host'>>(
  error: unknown,
  host: string,
  targets: readonly T[],
  { without = [], projects = [] }: HostFlags,
): unknown {
  const asked = targets.filter(({ project }) => projects.includes(project));
  const living = asked.filter((target) => target.host !== host).map(({ project }) => project);
  const isAsked = asked.length > living.length;
  const isLeft = isAsked ? living.length > 0 : targets.some((target) => target.host !== host);
  if (!(error instanceof HostError) || !isLeft) return error;
  const flags = [`--without=${[...without, host].join(',')}`, ...(isAsked ? [`-p ${living.join(',')}`] : [])];
  const { next } = error.detail;
  error.detail.next = `${next === undefined ? '' : `${next}; or `}leave that host out: the same command with ${flags.join(' and ')}`;
  return error;
}

/** The hosts that `--without` left out, and their containers. */
export function showLeftOut({
  without,
  leftOut,
}: {
  readonly without: readonly string[];
  readonly leftOut: readonly Pick<ContainerInEnvironment, 'project' | 'host'>[];
}): string[] {
  return without.map((name) => {
    const there = leftOut.filter(({ host }) => host === name).map(({ project }) => project);
    return `left out by --without: host ${name} (${there.join(', ') || 'no container'}); nothing there was looked at or changed`;
  });
}

function refuseUnknown(flag: string, given: readonly string[], environment: NamedEnvironment): void {
  const hosts = namedHosts(environment);
  const unknown = given.filter((name) => !hosts.includes(name));
  if (unknown.length === 0) return;
  throw new InputError(`${flag}: ${environment.name} has no host ${unknown.join(', ')}`, {
    next: `its hosts are ${hosts.join(', ')}, as infra/environments/${environment.name}.json names them`,
  });
}
