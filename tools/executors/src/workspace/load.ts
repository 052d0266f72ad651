import { basename, dirname } from 'node:path';
import { InputError, type MooringError, ProblemsError } from '../engine/errors.ts';
import { HOST_PART } from '../engine/names.ts';
import type { AppProject } from './app-target.ts';
import { checkOverrides, checkTargets, type Problem } from './check-targets.ts';
import { type ContainerFile, containerSchema } from './container.ts';
import { type AnyEnvironment, environmentSchemaOf, hasContainers } from './environment.ts';
import { FileVersionError } from './file-version.ts';
import { contentOf, environmentName, findFiles, infraFolder, projectName, readSettings } from './files.ts';
import { checkApps, readApp } from './load-apps.ts';
import { distinct, parseAll, refuse } from './problems.ts';
import { loadService } from './service.ts';
import { storageSchema } from './storage.ts';
import { type ContainerProject, type ContainerTarget, isPartOf, resolveContainer } from './target.ts';
import { unknownEnvironment } from './unknown.ts';

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
  /** Containers with a mistake in their own file, service or settings; of none of them anything else is told. */
  readonly faulty: readonly FaultyContainer[];
};

/** A container that cannot be worked with, and what is wrong with it. */
export type FaultyContainer = {
  readonly project: string;
  /** The environments that its file names; all of them where it names none, or cannot be read. */
  readonly environments: readonly string[] | undefined;
  readonly problems: readonly MooringError[];
};

const NOT_VALID = "the workspace's files are not valid";

/**
 * Reads and checks every file of the workspace: environments, containers with their services and the settings in every
 * environment, the storage project, applications and their guests.
 *
 * @param root the workspace, absolute
 * @throws ProblemsError (or the one InputError) naming everything that is wrong
 */
export async function loadWorkspace(root: string): Promise<Workspace> {
  const { workspace, problems } = await readWorkspace(root);
  refuse(told(problems), NOT_VALID);
  return workspace;
}

/**
 * The same for who only looks: a mistake in what is one container's alone keeps nobody from looking at the others.
 *
 * @throws ProblemsError (or the one InputError) where anything else is wrong
 */
export async function loadToLook(root: string): Promise<Workspace> {
  const { workspace, problems } = await readWorkspace(root);
  if (problems.some(({ container }) => container === undefined)) refuse(told(problems), NOT_VALID);
  return workspace;
}

async function readWorkspace(root: string): Promise<{ workspace: Workspace; problems: readonly Problem[] }> {
  const infra = infraFolder(root);
  const files = findFiles(root, infra);
  const problems: Problem[] = [];
  const attempt = <T>(work: () => T, of: Pick<Problem, 'container'> = {}): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push(...problemsOf(error, of));
      return undefined;
    }
  };

  const environments = files.environments.flatMap((file) => attempt(() => readEnvironment(root, file)) ?? []);
  const found = files.containers.map((file) => ({ file, project: projectName(file, contentOf(root, file)) }));
  const parsed = found.flatMap(({ file, project }) => {
    const content = attempt(() => readContainer(root, file), { container: project });
    return content === undefined ? [] : [{ file: content, root: dirname(file), project }];
  });
  const services = await Promise.all(
    parsed.map((container) =>
      loadService(root, container.root, container.file.service).catch(
        (error: unknown) => void problems.push(...problemsOf(error, { container: container.project })),
      ),
    ),
  );
  const loaded = parsed
    .flatMap((container, i): ContainerProject[] => (services[i] ? [{ ...container, service: services[i] }] : []))
    .sort((a, b) => (a.project < b.project ? -1 : 1));
  const apps = files.apps.flatMap((file) => attempt(() => readApp(root, file)) ?? []).sort((a, b) => (a.project < b.project ? -1 : 1));
  const appsOnly = files.apps.length > 0 && files.containers.length + files.storages.length === 0;
  const storage = appsOnly ? undefined : attempt(() => readStorage(root, infra, files.storages));

  if (files.environments.length === 0)
    problems.push({
      error: new InputError(`${infra}/environments: no environment files`, { next: `write ${infra}/environments/local.json` }),
    });
  const names = found.map(({ project }) => project);
  const allNames = [...names, ...(storage === undefined ? [] : [storage.project]), ...apps.map(({ project }) => project)];
  for (const name of new Set(allNames.filter((name, i) => allNames.indexOf(name) !== i))) {
    problems.push({ error: new InputError(`${infra}: two projects are called ${name}`, { next: 'give one of them another "name"' }) });
  }
  const known = files.environments.map(environmentName);
  for (const { root, file, project } of loaded) {
    const unknown = (file.environments ?? []).filter((name) => !known.includes(name));
    problems.push(
      ...unknown.map((name) => ({
        container: project,
        error: new InputError(`${root}/container.json: environments: ${unknownEnvironment(name, known).message}`),
      })),
    );
  }
  const withContainers = environments.filter(hasContainers);
  const overrides = withContainers.flatMap((environment) => checkOverrides(environment, new Set(names), infra));
  const ofApps = checkApps(apps, environments, { known, containers: names, infra });
  const shared = (error: MooringError) => ({ error });
  problems.push(...overrides.map(shared), ...checkTargets(withContainers, loaded), ...ofApps.map(shared));
  const faulty = [...new Set(problems.flatMap(({ container }) => container ?? []))].sort().map((project) => ({
    project,
    environments: parsed.find((container) => container.project === project)?.file.environments,
    problems: told(problems.filter(({ container }) => container === project)),
  }));
  const workspace = {
    root,
    environments: new Map(environments.map((environment) => [environment.name, environment])),
    containers: loaded.filter(({ project }) => faulty.every((one) => one.project !== project)),
    apps,
    storage,
    faulty,
  };
  return { workspace, problems };
}

/** Beside a file that cannot be read, what the others say of it would only look wrong. */
function told(problems: readonly Problem[]): MooringError[] {
  const errors = distinct(problems.map(({ error }) => error));
  const unreadable = errors.filter((error) => error instanceof FileVersionError);
  return (unreadable.length > 0 ? unreadable : errors).map((error) => error.with({ page: 'files' }));
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

function problemsOf(error: unknown, of: Pick<Problem, 'container'>): Problem[] {
  if (error instanceof ProblemsError) return error.problems.map((problem) => ({ ...of, error: problem }));
  if (error instanceof InputError) return [{ ...of, error }];
  throw error;
}
