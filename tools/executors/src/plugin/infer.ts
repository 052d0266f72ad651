import { realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { CreateNodesContext, CreateNodesResultArray } from '@nx/devkit';
import { services, WITH_ARTIFACTS } from '../services/index.ts';
import {
  DEFAULT_INFRA,
  environmentName,
  type PluginOptions,
  projectName,
  type Reader,
  readerOf,
  readJson,
  sortFiles,
} from '../workspace/files.ts';
import { loadService } from '../workspace/service.ts';
import { appProject, containerProject, type Inferred, storageProject } from './targets.ts';

/**
 * Makes projects of the workspace's files. It reads what the graph needs and no more, without zod: this runs in every
 * nx command. What is wrong in the files is told by the verbs, all at once, before a host is asked, and not here: `nx run-many`,
 * `affected` and `graph` say of an error that stops the graph only that there was one (nx 23 `handleProjectGraphError`).
 *
 * @param paths of files that may be ours, relative to the workspace
 * @param reader of those of them that have been read already
 * @returns a project of each container, storage host and application; with its folder's name where its file cannot be read
 */
export async function inferProjects(
  paths: readonly string[],
  options: PluginOptions | undefined,
  { workspaceRoot }: CreateNodesContext,
  reader: Reader = readerOf(workspaceRoot),
): Promise<CreateNodesResultArray> {
  const infra = options?.infra ?? DEFAULT_INFRA;
  const files = sortFiles(paths, infra);
  if (files.containers.length + files.storages.length + files.apps.length === 0) return [];
  const shared = {
    environments: files.environments.map(environmentName),
    environmentFolder: `${infra}/environments`,
    implicitDependencies: ownProject(workspaceRoot),
  };
  const storages = files.storages.map((file) => ({ file, project: storageProject({ ...shared, ...read(reader, file) }) }));
  const storage = storages[0]?.project.name ?? '';
  const apps = files.apps.map((file) => ({ file, project: appProject({ ...shared, ...readApp(reader, file), storage }) }));
  const containers = await Promise.all(
    files.containers.map(async (file) => {
      const container = read(reader, file);
      const hasArtifacts = await declaresArtifacts(workspaceRoot, container.root, container.service);
      return { file, project: containerProject({ ...shared, ...container, storage, hasArtifacts }) };
    }),
  );
  return [...storages, ...containers, ...apps].map(({ file, project }) => [file, { projects: { [project.root]: project } }] as const);
}

/** The fields of a file that the graph shows. */
function read(reader: Reader, file: string): Pick<Inferred, 'name' | 'root' | 'description'> & { service: string } {
  const content = reader.fields(file);
  return {
    name: projectName(file, content),
    root: dirname(file),
    description: text(content.description),
    service: text(content.service),
  };
}

/** The fields of an application's file that the graph shows. */
function readApp(reader: Reader, file: string) {
  const { service: _, ...fields } = read(reader, file);
  const { kind, needs } = reader.fields(file);
  const named = Array.isArray(needs) ? needs.filter((name) => typeof name === 'string') : [];
  return { ...fields, kind: text(kind), needs: named };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
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
