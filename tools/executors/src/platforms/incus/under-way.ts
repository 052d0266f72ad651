import type { Instance, InstanceFacts } from '../../engine/instance.ts';

/** The states that last. In all others an instance is on its way, or Incus could not read it. */
const LASTING = ['Running', 'Stopped', 'Frozen'];
/** Operations after which an instance is not what it was (Incus `operationtype`); another run, killed meanwhile, may have begun them. */
const CHANGING = /^(Starting|Stopping|Restarting|Freezing|Unfreezing) instance$|^Restoring snapshot$/;

/**
 * Instances of which Incus cannot tell what they are: for about a second of each stop it lists `Error` without a
 * configuration (lab, Incus 6.0.4). Pure.
 *
 * @returns a phrase each
 */
export function unreadable(instances: readonly Pick<Instance, 'name' | 'status'>[], names: readonly string[]): string[] {
  return instances
    .filter(({ name, status }) => names.includes(name) && !LASTING.includes(status))
    .map(({ name, status }) => `${name} is in the state ${status}`);
}

/**
 * What Incus is doing to instances that changes what it will tell of them. Pure.
 *
 * @param project their Incus project
 * @returns a phrase each
 */
export function underWay(operations: InstanceFacts['operations'], project: string, names: readonly string[]): string[] {
  return operations.flatMap(({ description, instances }) =>
    CHANGING.test(description)
      ? instances
          .filter((one) => one.project === project && names.includes(one.name))
          .map(({ name }) => `${name}: ${description.toLowerCase()}`)
      : [],
  );
}
