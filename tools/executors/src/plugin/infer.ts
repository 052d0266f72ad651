import type { CreateNodesContext, CreateNodesResultArray } from '@nx/devkit';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { InputError, showError } from '../engine/errors.ts';
import { containerSchema } from '../workspace/container.ts';
import { DEFAULT_INFRA, environmentName, type PluginOptions, readJson, sortFiles } from '../workspace/files.ts';
import { parseAll, refuse } from '../workspace/problems.ts';
import { loadService } from '../workspace/service.ts';
import { storageSchema } from '../workspace/storage.ts';
import { containerProject, type Inferred, storageProject } from './targets.ts';

/**
 * Makes projects of the workspace's files.
 *
 * @param paths of files that may be ours, relative to the workspace
 * @throws Error whose message names every file that is wrong: Nx prints it and stops
 */
export async function inferProjects(paths: readonly string[], options: PluginOptions | undefined, { workspaceRoot }: CreateNodesContext): Promise<CreateNodesResultArray> {
  const infra = options?.infra ?? DEFAULT_INFRA;
  const files = sortFiles(paths, infra);
  if (files.containers.length + files.storages.length === 0) return [];
  try {
    const shared = {
      environments: files.environments.map(environmentName),
      environmentFolder: `${infra}/environments`,
      implicitDependencies: ownProject(workspaceRoot),
    };
    const storages = files.storages.map((file) => ({ file, ...readStorage(workspaceRoot, file, shared) }));
    const [storage] = storages;
    if (storage === undefined) throw new InputError(`${infra}: no storage.json, which every container's snapshot depends on`, { next: `write ${infra}/zfs/storage.json` });
    const containers = await Promise.all(files.containers.map((file) => readContainer(workspaceRoot, file, shared, storage.name)));
    return [
      ...storages.map(({ file, ...inferred }) => [file, { projects: { [inferred.root]: storageProject(inferred) } }] as const),
      ...containers.map(({ file, project }) => [file, { projects: { [project.root]: project } }] as const),
    ];
  } catch (error) {
    throw new Error(showError(error));
  }
}

type Shared = Pick<Inferred, 'environments' | 'environmentFolder' | 'implicitDependencies'>;

function readStorage(workspaceRoot: string, file: string, shared: Shared): Inferred {
  const { name, description } = parsed(parseAll(storageSchema, readJson(workspaceRoot, file), { file }), file);
  return { ...shared, name, root: dirname(file), description };
}

async function readContainer(workspaceRoot: string, file: string, shared: Shared, storage: string) {
  const { name, description, service } = parsed(parseAll(containerSchema, readJson(workspaceRoot, file), { file }), file);
  const root = dirname(file);
  const hasArtifacts = await declaresArtifacts(workspaceRoot, root, service);
  return { file, project: containerProject({ ...shared, name: name ?? basename(root), root, description, service, storage, hasArtifacts }) };
}

/** A service that cannot be loaded is the verbs' error, which name it: it must not take the whole workspace's graph down. */
async function declaresArtifacts(workspaceRoot: string, root: string, service: string): Promise<boolean> {
  return loadService(workspaceRoot, root, service).then(
    ({ artifacts }) => artifacts !== undefined,
    () => false,
  );
}

/** The plugin's own project, where the workspace holds its sources: a change of it affects all that it runs. A published one is no project. */
function ownProject(workspaceRoot: string): string[] {
  const packageRoot = join(import.meta.dirname, '..', '..');
  const path = relative(realpathSync(workspaceRoot), packageRoot);
  if (path.startsWith('..') || path.split(sep).includes('node_modules')) return [];
  return [(readJson(packageRoot, 'package.json') as { name: string }).name];
}

function parsed<T>(result: { value: T } | { problems: InputError[] }, file: string): T {
  if ('value' in result) return result.value;
  refuse(result.problems, file);
  throw new InputError(file);
}
