import { basename, dirname } from 'node:path';
import { InputError, type MooringError, ProblemsError } from '../engine/errors.ts';
import { HOST_PART, INSTANCE_NAME_MAX } from '../engine/names.ts';
import type { AppProject } from './app-target.ts';
import { type ContainerFile, containerSchema } from './container.ts';
import { type AnyEnvironment, environmentSchemaOf, hasContainers, type NamedEnvironment } from './environment.ts';
import { FileVersionError } from './file-version.ts';
import { environmentName, findFiles, infraFolder, readSettings } from './files.ts';
import { checkApps, readApp } from './load-apps.ts';
import { parseAll, refuse } from './problems.ts';
import { loadService } from './service.ts';
import { storageSchema } from './storage.ts';
import { type ContainerProject, type ContainerTarget, isPartOf, resolveContainer } from './target.ts';
import { didYouMean, unknownEnvironment } from './unknown.ts';

/** The storage host's project. */
export type StorageProject = { readonly project: string; readonly root: string; readonly description: string };

/** All that the files of a workspace say. */
export type Workspace = {
  /** Absolute path. */
  readonly root: string;
  readonly environments: ReadonlyMap<string, AnyEnvironment>;
  /** In the order of their names. */
  readonly containers: readonly ContainerProject[];
  /** In the order of their names. */
  readonly apps: readonly AppProject[];
  /** None in a workspace that has applications only. */
  readonly storage: StorageProject | undefined;
};

/**
 * Reads and checks every file of the workspace: environments, containers with their services and the settings in every
 * environment, the storage project, applications and their guests.
 *
 * @param root the workspace, absolute
 * @throws ProblemsError (or the one InputError) naming everything that is wrong
 */
export async function loadWorkspace(root: string): Promise<Workspace> {
  const infra = infraFolder(root);
  const files = findFiles(root, infra);
  const problems: MooringError[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push(...problemsOf(error));
      return undefined;
    }
  };

  const environments = files.environments.flatMap((file) => attempt(() => readEnvironment(root, file)) ?? []);
  const parsed = files.containers.flatMap((file) => {
    const content = attempt(() => readContainer(root, file));
    return content === undefined ? [] : [{ file: content, root: dirname(file), project: content.name ?? basename(dirname(file)) }];
  });
  const services = await Promise.all(
    parsed.map((container) =>
      loadService(root, container.root, container.file.service).catch((error: unknown) => void problems.push(...problemsOf(error))),
    ),
  );
  const containers = parsed
    .flatMap((container, i): ContainerProject[] => (services[i] ? [{ ...container, service: services[i] }] : []))
    .sort((a, b) => (a.project < b.project ? -1 : 1));
  const apps = files.apps.flatMap((file) => attempt(() => readApp(root, file)) ?? []).sort((a, b) => (a.project < b.project ? -1 : 1));
  const appsOnly = files.apps.length > 0 && files.containers.length + files.storages.length === 0;
  const storage = appsOnly ? undefined : attempt(() => readStorage(root, infra, files.storages));

  if (files.environments.length === 0)
    problems.push(new InputError(`${infra}/environments: no environment files`, { next: `write ${infra}/environments/local.json` }));
  const names = parsed.map(({ project }) => project);
  const allNames = [...names, ...(storage === undefined ? [] : [storage.project]), ...apps.map(({ project }) => project)];
  for (const name of new Set(allNames.filter((name, i) => allNames.indexOf(name) !== i))) {
    problems.push(new InputError(`${infra}: two projects are called ${name}`, { next: 'give one of them another "name"' }));
  }
  const known = files.environments.map(environmentName);
  for (const { root, file } of containers) {
    const unknown = (file.environments ?? []).filter((name) => !known.includes(name));
    problems.push(
      ...unknown.map((name) => new InputError(`${root}/container.json: environments: ${unknownEnvironment(name, known).message}`)),
    );
  }
  const withContainers = environments.filter(hasContainers);
  for (const environment of withContainers) problems.push(...checkOverrides(environment, new Set(names), infra));
  problems.push(...checkTargets(withContainers, containers), ...checkApps(apps, environments, { known, containers: names, infra }));
  // Beside a file that cannot be read, what the others say of it would only look wrong.
  const unreadable = problems.filter((problem) => problem instanceof FileVersionError);
  const told = (unreadable.length > 0 ? unreadable : problems).map((problem) => problem.with({ page: 'files' }));
  refuse(told, "the workspace's files are not valid");
  return {
    root,
    environments: new Map(environments.map((environment) => [environment.name, environment])),
    containers,
    apps,
    storage,
  };
}

/** The environment of that name. @throws InputError naming the known ones */
export function environmentOf(workspace: Workspace, name: string): AnyEnvironment {
  const found = workspace.environments.get(name);
  if (found !== undefined) return found;
  throw unknownEnvironment(name, [...workspace.environments.keys()]);
}

/** The containers that are part of an environment, resolved for it, by name. @throws InputError for an unknown environment */
export function containersOf(workspace: Workspace, environmentName: string): ContainerTarget[] {
  const environment = environmentOf(workspace, environmentName);
  if (!hasContainers(environment)) return [];
  return workspace.containers
    .filter((container) => isPartOf(container, environmentName))
    .map((container) => resolveContainer(container, environment));
}

function readEnvironment(root: string, file: string): AnyEnvironment {
  const name = environmentName(file);
  if (!HOST_PART.test(name))
    throw new InputError(
      `${file}: its name is the environment's name; expected lower-case letters, digits and hyphens, such as staging.json`,
    );
  const content = readSettings(root, file);
  const result = parseAll(environmentSchemaOf(content), content, { file });
  if ('problems' in result) throw new ProblemsError(file, result.problems);
  return { ...result.value, name };
}

function readContainer(root: string, file: string): ContainerFile {
  const result = parseAll(containerSchema, readSettings(root, file), { file });
  if ('problems' in result) throw new ProblemsError(file, result.problems);
  const folder = basename(dirname(file));
  if (result.value.name === undefined && !HOST_PART.test(folder)) {
    throw new InputError(`${file}: the folder's name ${JSON.stringify(folder)} cannot be a host name`, {
      next: 'for example "name": "postgres"',
    });
  }
  return result.value;
}

function readStorage(root: string, infra: string, files: readonly string[]): StorageProject {
  const [file, ...others] = files;
  if (file === undefined)
    throw new InputError(`${infra}: no storage.json; the snapshot set of an environment is a task of its project`, {
      next: `write ${infra}/zfs/storage.json`,
    });
  if (others.length > 0) throw new InputError(`more than one storage.json: ${files.join(', ')}`, { next: 'keep one' });
  const result = parseAll(storageSchema, readSettings(root, file), { file });
  if ('problems' in result) throw new ProblemsError(file, result.problems);
  return { project: result.value.name, root: dirname(file), description: result.value.description };
}

function checkOverrides(environment: NamedEnvironment, names: ReadonlySet<string>, infra: string): MooringError[] {
  return Object.keys(environment.containers)
    .filter((name) => !names.has(name))
    .map((name) => {
      const meant = didYouMean(name, names);
      const offer = meant === undefined ? '' : `; did you mean ${meant}?`;
      return new InputError(`${infra}/environments/${environment.name}.json: containers.${name}: there is no such container${offer}`);
    });
}

/** What single files cannot tell: instance names that are too long or meet, settings as each environment has them. */
function checkTargets(environments: readonly NamedEnvironment[], containers: readonly ContainerProject[]): MooringError[] {
  const owners = new Map<string, string>();
  return environments.flatMap((environment) =>
    containers
      .filter((container) => isPartOf(container, environment.name))
      .flatMap((container) => checkTarget(resolveContainer(container, environment), owners)),
  );
}

function checkTarget(target: ContainerTarget, owners: Map<string, string>): MooringError[] {
  const { instance, host, incus, environment, project, root, service, settings } = target;
  const problems: MooringError[] = [];
  if (instance.length > INSTANCE_NAME_MAX) {
    problems.push(
      new InputError(`instance name ${instance}: ${instance.length} characters; expected at most ${INSTANCE_NAME_MAX}`, {
        next: `a shorter "prefix" in ${environment.name}.json or a shorter "name" in ${root}/container.json`,
      }),
    );
  }
  const place = `${instance} in Incus project ${incus.project} on ${host}`;
  const other = owners.get(place);
  if (other !== undefined && other !== environment.name)
    problems.push(
      new InputError(`environments ${other} and ${environment.name} would share the instance ${place}`, {
        next: 'give each environment a "prefix" or an Incus project of its own',
      }),
    );
  owners.set(place, environment.name);
  const overridden = environment.containers[project]?.settings !== undefined;
  const result = parseAll(service.settings, settings, {
    file: `${root}/container.json${overridden ? ` (with ${environment.name}.json)` : ''}`,
    under: ['settings'],
  });
  if ('problems' in result) problems.push(...result.problems);
  return problems;
}

function problemsOf(error: unknown): readonly MooringError[] {
  if (error instanceof ProblemsError) return error.problems;
  if (error instanceof InputError) return [error];
  throw error;
}
