import { basename, dirname } from 'node:path';
import { InputError, type MooringError, ProblemsError } from '../engine/errors.ts';
import { HOST_PART } from '../engine/names.ts';
import type { AppProject } from './app-target.ts';
import { checkOverrides, checkTargets, type Problem } from './check-targets.ts';
import { type ContainerFile, containerSchema } from './container.ts';
import { type AnyEnvironment, environmentSchemaOf, hasContainers } from './environment.ts';
import { FileVersionError } from './file-version.ts';
import { environmentName, findFiles, infraFolder, projectName, type Reader, type WorkspaceFiles } from './files.ts';
import { checkApps, readApp } from './load-apps.ts';
import { distinct, parseAll, refuse } from './problems.ts';
import { loadService } from './service.ts';
import { storageSchema } from './storage.ts';
import { type ContainerInEnvironment, type ContainerProject, isPartOf, resolveContainer } from './target.ts';
import { unknownEnvironment } from './unknown.ts';

/** The storage host's project. */
export type StorageProject = { readonly project: string; readonly root: string; readonly description: string };

/** All that the files of a workspace say. */
export type Workspace = {
  /** Absolute path. */
  readonly root: string;
  /** The folder of its files, relative to it. */
  readonly infra: string;
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

/** What was read of a workspace, and what is wrong with it. */
export type ReadWorkspace = { readonly workspace: Workspace; readonly problems: readonly Problem[] };

/** The workspace, where nothing is wrong with it. @throws ProblemsError (or the one InputError) naming everything that is wrong */
export function valid({ workspace, problems }: ReadWorkspace): Workspace {
  refuse(told(problems), NOT_VALID);
  return workspace;
}

/**
 * The same for who only looks: a mistake in what is one container's alone keeps nobody from looking at the others.
 *
 * @throws ProblemsError (or the one InputError) where anything else is wrong
 */
export function fitToLook({ workspace, problems }: ReadWorkspace): Workspace {
  if (problems.some(({ container }) => container === undefined)) refuse(told(problems), NOT_VALID);
  return workspace;
}

/**
 * Reads and checks every file of the workspace: environments, containers with their services and the settings in every
 * environment, the storage project, applications and their guests.
 */
export async function readWorkspace(reader: Reader): Promise<ReadWorkspace> {
  const { root } = reader;
  const infra = infraFolder(root);
  const files = findFiles(root, infra);
  const problems: Problem[] = [];
  const environments = files.environments.flatMap((file) => attempt(problems, () => readEnvironment(reader, file)) ?? []);
  const { parsed, loaded, names } = await readContainers(reader, files.containers, problems);
  const apps = files.apps.flatMap((file) => attempt(problems, () => readApp(reader, file)) ?? []).sort(byProject);
  const appsOnly = files.apps.length > 0 && files.containers.length + files.storages.length === 0;
  const storage = appsOnly ? undefined : attempt(problems, () => readStorage(reader, infra, files.storages));
  problems.push(
    ...noEnvironments(files, infra),
    ...sameNames([...names, ...(storage ? [storage.project] : []), ...apps.map(projectOf)], infra),
  );
  const known = files.environments.map(environmentName);
  problems.push(...loaded.flatMap((container) => checkEnvironments(container, known)));
  const withContainers = environments.filter(hasContainers);
  const overrides = withContainers.flatMap((environment) => checkOverrides(environment, new Set(names), infra));
  const ofApps = checkApps(apps, environments, { known, containers: names, infra });
  const shared = (error: MooringError) => ({ error });
  problems.push(...overrides.map(shared), ...checkTargets(withContainers, loaded), ...ofApps.map(shared));
  const faulty = faultyOf(problems, parsed);
  const workspace = {
    root,
    infra,
    environments: new Map(environments.map((environment) => [environment.name, environment])),
    containers: loaded.filter(({ project }) => faulty.every((one) => one.project !== project)),
    apps,
    storage,
    faulty,
  };
  return { workspace, problems };
}

/** What the work gives; nothing where it fails, and then what is wrong is added to the problems. */
function attempt<T>(problems: Problem[], work: () => T, of: Pick<Problem, 'container'> = {}): T | undefined {
  try {
    return work();
  } catch (error) {
    problems.push(...problemsOf(error, of));
    return undefined;
  }
}

type ParsedContainer = Omit<ContainerProject, 'service'>;

/** The containers' files and their services: those that could be parsed, those whose service is there too, and the names of all. */
async function readContainers(
  reader: Reader,
  files: readonly string[],
  problems: Problem[],
): Promise<{ parsed: ParsedContainer[]; loaded: ContainerProject[]; names: string[] }> {
  const found = files.map((file) => ({ file, project: projectName(file, reader.fields(file)) }));
  const parsed = found.flatMap(({ file, project }): ParsedContainer[] => {
    const content = attempt(problems, () => readContainer(reader, file), { container: project });
    return content === undefined ? [] : [{ file: content, root: dirname(file), project }];
  });
  const services = await Promise.all(
    parsed.map((container) =>
      loadService(reader.root, container.root, container.file.service).catch(
        (error: unknown) => void problems.push(...problemsOf(error, { container: container.project })),
      ),
    ),
  );
  const loaded = parsed.flatMap((container, i): ContainerProject[] => (services[i] ? [{ ...container, service: services[i] }] : []));
  return { parsed, loaded: loaded.sort(byProject), names: found.map(projectOf) };
}

const projectOf = ({ project }: { readonly project: string }) => project;
const byProject = (a: { readonly project: string }, b: { readonly project: string }) => (a.project < b.project ? -1 : 1);

function noEnvironments({ environments }: WorkspaceFiles, infra: string): Problem[] {
  if (environments.length > 0) return [];
  return [{ error: new InputError(`${infra}/environments: no environment files`, { next: `write ${infra}/environments/local.json` }) }];
}

function sameNames(names: readonly string[], infra: string): Problem[] {
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...twice].map((name) => ({
    error: new InputError(`${infra}: two projects are called ${name}`, { next: 'give one of them another "name"' }),
  }));
}

/** What a container's file says of environments that are not there. */
function checkEnvironments({ root, file, project }: ContainerProject, known: readonly string[]): Problem[] {
  const unknown = (file.environments ?? []).filter((name) => !known.includes(name));
  return unknown.map((name) => ({
    container: project,
    error: new InputError(`${root}/container.json: environments: ${unknownEnvironment(name, known).message}`),
  }));
}

/** The containers with problems that are theirs alone. */
function faultyOf(problems: readonly Problem[], parsed: readonly ParsedContainer[]): FaultyContainer[] {
  const names = new Set(problems.flatMap(({ container }) => container ?? []));
  return [...names].sort().map((project) => ({
    project,
    environments: parsed.find((container) => container.project === project)?.file.environments,
    problems: told(problems.filter(({ container }) => container === project)),
  }));
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
export function containersOf(workspace: Workspace, environmentName: string): ContainerInEnvironment[] {
  const environment = environmentOf(workspace, environmentName);
  if (!hasContainers(environment)) return [];
  return workspace.containers
    .filter((container) => isPartOf(container, environmentName))
    .map((container) => resolveContainer(container, environment));
}

function readEnvironment(reader: Reader, file: string): AnyEnvironment {
  const name = environmentName(file);
  if (!HOST_PART.test(name))
    throw new InputError(
      `${file}: its name is the environment's name; expected lower-case letters, digits and hyphens, such as staging.json`,
    );
  const content = reader.settings(file);
  const result = parseAll(environmentSchemaOf(content), content, { file });
  if ('problems' in result) throw new ProblemsError(file, result.problems);
  return { ...result.value, name };
}

function readContainer(reader: Reader, file: string): ContainerFile {
  const result = parseAll(containerSchema, reader.settings(file), { file });
  if ('problems' in result) throw new ProblemsError(file, result.problems);
  const folder = basename(dirname(file));
  if (result.value.name === undefined && !HOST_PART.test(folder)) {
    throw new InputError(`${file}: the folder's name ${JSON.stringify(folder)} cannot be a host name`, {
      next: 'for example "name": "postgres"',
    });
  }
  return result.value;
}

function readStorage(reader: Reader, infra: string, files: readonly string[]): StorageProject {
  const [file, ...others] = files;
  if (file === undefined)
    throw new InputError(`${infra}: no storage.json; the snapshot set of an environment is a task of its project`, {
      next: `write ${infra}/zfs/storage.json`,
    });
  if (others.length > 0) throw new InputError(`more than one storage.json: ${files.join(', ')}`, { next: 'keep one' });
  const result = parseAll(storageSchema, reader.settings(file), { file });
  if ('problems' in result) throw new ProblemsError(file, result.problems);
  return { project: result.value.name, root: dirname(file), description: result.value.description };
}

function problemsOf(error: unknown, of: Pick<Problem, 'container'>): Problem[] {
  if (error instanceof ProblemsError) return error.problems.map((problem) => ({ ...of, error: problem }));
  if (error instanceof InputError) return [{ ...of, error }];
  throw error;
}
