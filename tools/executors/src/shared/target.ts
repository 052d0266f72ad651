import type { MooringError } from '../engine/errors.ts';
import type { Secret } from '../engine/secret.ts';
import { type FoundSecrets, resolveReferences, secretNames } from '../engine/secret-reference.ts';
import type { Desired, Service } from '../engine/service.ts';
import type { NamedEnvironment } from '../workspace/environment.ts';
import type { Workspace } from '../workspace/load.ts';
import { parseAll, refusal } from '../workspace/problems.ts';
import { type ContainerInEnvironment, placeIn } from '../workspace/target.ts';

/** A container with its settings complete: secrets are in, defaults are filled in. */
export type PreparedContainer = ContainerInEnvironment & {
  /** What should be, once it is known which networks may connect. */
  desired(clientNetworks: readonly string[]): Desired<unknown>;
};

/** A container whose file, settings or secrets have a mistake: where it is, and what is wrong. */
export type FaultyContainer = Pick<ContainerInEnvironment, 'project' | 'instance' | 'host'> & { readonly error: MooringError };

/** The containers with their secrets in, and by project what is wrong with the others. */
export function completed(
  containers: readonly ContainerInEnvironment[],
  { found, missing }: FoundSecrets,
  skipTrial = false,
): { ready: PreparedContainer[]; wrong: Map<string, readonly MooringError[]> } {
  const ready: PreparedContainer[] = [];
  const wrong = new Map<string, readonly MooringError[]>();
  for (const container of containers) {
    const lacks = secretNames(container.settings).flatMap((name) => missing.get(name) ?? []);
    if (lacks.length > 0) {
      wrong.set(
        container.project,
        lacks.map((problem) => problem.with({ page: 'secrets' })),
      );
      continue;
    }
    const settings = resolveReferences(container.settings, (name) => found.get(name) as Secret);
    const parsed = parseAll(container.service.settings, settings, { file: `${container.root}/container.json`, under: ['settings'] });
    if ('value' in parsed) ready.push(target(container, container.service, parsed.value, skipTrial));
    else wrong.set(container.project, parsed.problems);
  }
  return { ready, wrong };
}

/** By project, what is wrong with the containers whose files cannot be worked with; those that are known not to be part are left out. */
export function faultyIn({ faulty }: Workspace, { name }: NamedEnvironment): [string, readonly MooringError[]][] {
  return faulty.flatMap(({ project, environments, problems }) =>
    environments === undefined || environments.includes(name) ? [[project, problems]] : [],
  );
}

export function faultyContainer(project: string, environment: NamedEnvironment, problems: readonly MooringError[]): FaultyContainer {
  return { project, ...placeIn(environment, project), error: refusal(problems, `${project} is not valid`) };
}

function target(container: ContainerInEnvironment, service: Service<unknown>, settings: unknown, skipTrial: boolean): PreparedContainer {
  return {
    ...container,
    desired: (clientNetworks) => ({
      settings,
      context: {
        environment: container.environment.name,
        instance: container.instance,
        clientNetworks,
        artifacts: service.artifacts?.(settings) ?? {},
        skipTrial,
      },
    }),
  };
}
