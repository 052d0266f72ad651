import type { Service } from '../engine/service.ts';
import type { ContainerFile } from './container.ts';
import type { NamedEnvironment } from './environment.ts';
import { fillIn, mergeSettings } from './settings.ts';

/** A container's project in the workspace. */
export type ContainerProject = {
  /** Name of the Nx project. */
  readonly project: string;
  /** Its folder, relative to the workspace. */
  readonly root: string;
  readonly file: ContainerFile;
  readonly service: Service<unknown>;
};

/** One container in one environment: everything that a verb has to know of it before it asks a host. */
export type ContainerInEnvironment = {
  readonly project: string;
  /** The project's folder, relative to the workspace. */
  readonly root: string;
  readonly description: string;
  readonly service: Service<unknown>;
  readonly environment: NamedEnvironment;
  /** Name of the Incus instance: the environment's prefix and the project's name. */
  readonly instance: string;
  /** `local` or an SSH alias. */
  readonly host: string;
  readonly incus: NamedEnvironment['incus'];
  /** Incus `limits.*`, without that prefix. */
  readonly limits: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** As the files have them: overrides merged in, `${environment}` replaced, secrets still references. Checked by the service's schema. */
  readonly settings: unknown;
};

/** Whether a container exists in an environment at all. */
export function isPartOf(container: ContainerProject, environment: string): boolean {
  return container.file.environments?.includes(environment) ?? true;
}

/** Where an environment has the container of a project. */
export function placeIn(environment: NamedEnvironment, project: string): Pick<ContainerInEnvironment, 'instance' | 'host'> {
  return { instance: `${environment.prefix}${project}`, host: environment.containers[project]?.host ?? environment.host };
}

/** What one container is in one environment; see {@link ContainerInEnvironment}. It does not ask whether it {@link isPartOf} it. */
export function resolveContainer(container: ContainerProject, environment: NamedEnvironment): ContainerInEnvironment {
  const { project, root, service, file } = container;
  const over = environment.containers[project];
  return {
    project,
    root,
    description: file.description,
    service,
    environment,
    ...placeIn(environment, project),
    incus: environment.incus,
    limits: fillIn(
      Object.fromEntries(Object.entries({ ...file.limits, ...over?.limits }).map(([name, value]) => [name, String(value)])),
      environment.name,
    ),
    devices: fillIn({ ...file.devices, ...over?.devices }, environment.name),
    settings: fillIn(mergeSettings(file.settings, over?.settings), environment.name),
  };
}
