import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { CreateNodesContext, CreateNodesResultArray } from '@nx/devkit';
import { InputError, showError } from '../engine/errors.ts';
import { services, WITH_ARTIFACTS } from '../services/index.ts';
import { DEFAULT_INFRA, environmentName, type PluginOptions, readJson, readSettings, sortFiles } from '../workspace/files.ts';
import { loadService } from '../workspace/service.ts';
import { appProject, containerProject, type Inferred, storageProject } from './targets.ts';

/**
 * Makes projects of the workspace's files. It reads what the graph needs and no more, without zod: this runs in every
 * nx command. What else may be wrong in the files is told by the verbs, all at once, before a host is asked.
 *
 * @param paths of files that may be ours, relative to the workspace
 * @throws Error whose message names the file that is wrong: Nx prints it and stops
 */
export async function inferProjects(
  paths: readonly string[],
  options: PluginOptions | undefined,
  { workspaceRoot }: CreateNodesContext,
): Promise<CreateNodesResultArray> {
  const infra = options?.infra ?? DEFAULT_INFRA;
  const files = sortFiles(paths, infra);
  if (files.containers.length + files.storages.length + files.apps.length === 0) return [];
  try {
    const shared = {
      environments: files.environments.map(environmentName),
      environmentFolder: `${infra}/environments`,
      implicitDependencies: ownProject(workspaceRoot),
    };
    const storages = files.storages.map((file) => ({ ...shared, ...read(workspaceRoot, file, 'zfs') }));
    const [storage] = storages;
    if (storage === undefined && files.containers.length > 0) {
      throw new InputError(`${infra}: no storage.json, which every container's snapshot depends on`, {
        page: 'files',
        next: `write ${infra}/zfs/storage.json`,
      });
    }
    const host = storage?.name ?? '';
    const apps = files.apps.map((file) => ({ file, project: appProject({ ...shared, ...readApp(workspaceRoot, file), storage: host }) }));
    const containers = await Promise.all(
      files.containers.map(async (file) => {
        const { service, ...container } = read(workspaceRoot, file, basename(dirname(file)));
        const hasArtifacts = await declaresArtifacts(workspaceRoot, container.root, service);
        return { file, project: containerProject({ ...shared, ...container, service, storage: host, hasArtifacts }) };
      }),
    );
    return [
      ...storages.map(
        (inferred) => [join(inferred.root, 'storage.json'), { projects: { [inferred.root]: storageProject(inferred) } }] as const,
      ),
      ...[...containers, ...apps].map(({ file, project }) => [file, { projects: { [project.root]: project } }] as const),
    ];
  } catch (error) {
    throw new Error(showError(error));
  }
}

/** The fields of a file that the graph shows. */
function read(
  workspaceRoot: string,
  file: string,
  folderName: string,
): Pick<Inferred, 'name' | 'root' | 'description'> & { service: string } {
  const content = readSettings(workspaceRoot, file) as Record<string, unknown> | null;
  const field = (name: string, fallback: string) => {
    const value = content?.[name] ?? fallback;
    if (typeof value === 'string') return value;
    throw new InputError(`${file}: ${name}: found ${JSON.stringify(value)}; expected a text`, { page: 'files' });
  };
  return { name: field('name', folderName), root: dirname(file), description: field('description', ''), service: field('service', '') };
}

/** The fields of an application's file that the graph shows. */
function readApp(workspaceRoot: string, file: string) {
  const { service: _, ...fields } = read(workspaceRoot, file, basename(dirname(file)));
  const { kind, needs } = readSettings(workspaceRoot, file) as { kind?: unknown; needs?: unknown };
  const named = Array.isArray(needs) ? needs.filter((name) => typeof name === 'string') : [];
  return { ...fields, kind: typeof kind === 'string' ? kind : '', needs: named };
}

/** A service of the workspace's own that cannot be loaded is the verbs' error: it must not take the whole graph down. */
async function declaresArtifacts(workspaceRoot: string, root: string, service: string): Promise<boolean> {
  if (service in services) return WITH_ARTIFACTS.has(service);
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
