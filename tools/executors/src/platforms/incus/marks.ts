import { type Command, write } from '../../engine/command.ts';
import type { Instance } from '../../engine/instance.ts';
import type { Ownership } from '../../engine/instance-platform.ts';
import { FORMAT } from '../../engine/version.ts';
import { incus } from './command.ts';

/** Keys under which this tool remembers, on the instance itself, what it made. */
export const mark = {
  environment: 'user.mooring.environment',
  instance: 'user.mooring.instance',
  service: 'user.mooring.service',
  uuid: 'user.mooring.uuid',
  image: 'user.mooring.image',
  tool: 'user.mooring.tool',
  /** The {@link FORMAT} of the tool that last deployed it; 1 where it is not set. */
  format: 'user.mooring.format',
  /** The release whose deploy last completed here. */
  release: 'user.mooring.release',
} as const;

/** Writes down the release whose deploy has completed, and the tool that did it. */
export function markDeployed(place: { readonly instance: string; readonly project: string }, release: string, tool: string): Command {
  const marks = [`${mark.release}=${release}`, `${mark.tool}=${tool}`, `${mark.format}=${FORMAT}`];
  return write(incus('config', 'set', place.instance, '--project', place.project, '--', ...marks));
}

/**
 * Whether an instance is one that this tool made or adopted for this environment. A mark counts only if it is set on the
 * instance itself, and names its environment, its name and its `volatile.uuid`: profiles are inherited and `incus copy`
 * copies keys.
 */
export function ownership(instance: Instance, environment: string): Ownership {
  const { config } = instance;
  if (config[mark.environment] === undefined) return { ours: false, because: 'it has no marks of nx-mooring' };
  const expected = { [mark.environment]: environment, [mark.instance]: instance.name, [mark.uuid]: config['volatile.uuid'] };
  const wrong = Object.entries(expected).find(([key, value]) => config[key] !== value);
  if (wrong === undefined) return { ours: true };
  const [key, value] = wrong;
  const copied = key === mark.uuid || key === mark.instance ? '; it looks like a copy (incus copy takes the marks along)' : '';
  return { ours: false, because: `its mark ${key} is ${config[key] ?? '(none)'}, expected ${value ?? '(none)'}${copied}` };
}
