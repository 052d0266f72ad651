import { didYouMean } from '../engine/did-you-mean.ts';
import { InputError, type MooringError } from '../engine/errors.ts';
import { INSTANCE_NAME_MAX } from '../engine/names.ts';
import type { NamedEnvironment } from './environment.ts';
import { parseAll } from './problems.ts';
import { type ContainerInEnvironment, type ContainerProject, isPartOf, resolveContainer } from './target.ts';

export function checkOverrides(environment: NamedEnvironment, names: ReadonlySet<string>, infra: string): MooringError[] {
  return Object.keys(environment.containers)
    .filter((name) => !names.has(name))
    .map((name) => {
      const meant = didYouMean(name, names);
      const offer = meant === undefined ? '' : `; did you mean ${meant}?`;
      return new InputError(`${infra}/environments/${environment.name}.json: containers.${name}: there is no such container${offer}`);
    });
}

/** What single files cannot tell: instance names that are too long or meet, settings as each environment has them. */
export function checkTargets(environments: readonly NamedEnvironment[], containers: readonly ContainerProject[]): Problem[] {
  const owners = new Map<string, string>();
  return environments.flatMap((environment) =>
    containers
      .filter((container) => isPartOf(container, environment.name))
      .flatMap((container) => checkTarget(resolveContainer(container, environment), owners)),
  );
}

function checkTarget(target: ContainerInEnvironment, owners: Map<string, string>): Problem[] {
  const { instance, host, incus, environment, project, root, service, settings } = target;
  const problems: Problem[] = [];
  if (instance.length > INSTANCE_NAME_MAX) {
    const error = new InputError(`instance name ${instance}: ${instance.length} characters; expected at most ${INSTANCE_NAME_MAX}`, {
      next: `a shorter "prefix" in ${environment.name}.json or a shorter "name" in ${root}/container.json`,
    });
    problems.push({ container: project, error });
  }
  const place = `${instance} in Incus project ${incus.project} on ${host}`;
  const other = owners.get(place);
  if (other !== undefined && other !== environment.name)
    problems.push({
      error: new InputError(`environments ${other} and ${environment.name} would share the instance ${place}`, {
        next: 'give each environment a "prefix" or an Incus project of its own',
      }),
    });
  owners.set(place, environment.name);
  const overridden = environment.containers[project]?.settings !== undefined;
  const result = parseAll(service.settings, settings, {
    file: `${root}/container.json${overridden ? ` (with ${environment.name}.json)` : ''}`,
    under: ['settings'],
  });
  if ('problems' in result) problems.push(...result.problems.map((error) => ({ container: project, error })));
  return problems;
}

/** What is wrong with the files, and the container that alone it keeps from being worked with. */
export type Problem = { readonly error: MooringError; readonly container?: string };
