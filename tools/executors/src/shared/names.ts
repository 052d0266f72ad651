import { ordinary } from '../engine/ordinary.ts';
import type { AppInEnvironment } from '../workspace/app-target.ts';
import type { AnyEnvironment } from '../workspace/environment.ts';
import type { Workspace } from '../workspace/load.ts';
import type { ContainerInEnvironment } from '../workspace/target.ts';
import type { Machine } from './world.ts';

/**
 * Names that outputs of a run have: of projects, environments, hosts, instances and units, and what settings call things. A secret that is
 * one of them cannot be hidden there.
 */
export function namesOf(
  { containers, apps, storage, environments }: Workspace,
  environment: AnyEnvironment,
  { user, machine }: ReturnType<Machine['who']>,
  about: { readonly containers?: readonly ContainerInEnvironment[]; readonly apps?: readonly AppInEnvironment[] },
): string[] {
  const targets = about.containers ?? [];
  const guests = about.apps ?? [];
  const names = [
    ...[...containers, ...apps, ...(storage === undefined ? [] : [storage])].map(({ project }) => project),
    ...environments.keys(),
    ...targets.flatMap(({ instance, host, service, incus }) => [instance, host, service.name, service.unit, incus.project, incus.image]),
    ...guests.map(({ guest }) => guest.name),
    machine,
    user,
  ];
  // That somebody has written a text into a file in clear does not make a secret less of one. What reads as a name is one.
  const called = textsOf([environment, targets.map(({ settings }) => settings), guests.map(({ settings, guest }) => [settings, guest])]);
  return [...new Set([...names, ...called.filter((text) => ordinary(text) !== undefined)])].filter((name) => name !== '');
}

/** Every text in a value, and every number as outputs write it. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}
