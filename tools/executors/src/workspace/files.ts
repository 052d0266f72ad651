import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../engine/errors.ts';
import { refuseOtherVersion } from './file-version.ts';

/** Where the plugin looks when nx.json says nothing else. */
export const DEFAULT_INFRA = 'infra';

/** Options of the plugin in nx.json. */
export type PluginOptions = {
  /** The folder of the container, storage and environment files, relative to the workspace; `infra` when left out. */
  infra?: string;
};

/** The files of a workspace that the plugin knows, as paths relative to its root, sorted. */
export type WorkspaceFiles = {
  readonly environments: readonly string[];
  readonly containers: readonly string[];
  readonly storages: readonly string[];
  readonly apps: readonly string[];
};

/** The infra folder as the plugin's entry in nx.json names it. @throws InputError when nx.json cannot be read */
export function infraFolder(root: string): string {
  return infraOf(readJson(root, 'nx.json') as NxJson);
}

/** The part of nx.json that names us. */
type NxJson = { readonly plugins?: readonly unknown[] };

/** As {@link infraFolder}, from what nx.json says. */
export function infraOf(nxJson: NxJson | undefined): string {
  const plugins = (nxJson?.plugins ?? []) as (string | { plugin?: string; options?: PluginOptions })[];
  const entry = plugins.find(
    (plugin) => typeof plugin === 'object' && (plugin.plugin === 'nx-mooring' || plugin.plugin === 'nx-mooring/plugin'),
  );
  return (typeof entry === 'object' ? entry.options?.infra : undefined) ?? DEFAULT_INFRA;
}

/** Sorts paths into what they are; other paths are left out. */
export function sortFiles(paths: readonly string[], infra: string): WorkspaceFiles {
  const inside = paths.filter((path) => path.startsWith(`${infra}/`)).sort();
  return {
    environments: inside.filter((path) => dirname(path) === `${infra}/environments` && path.endsWith('.json')),
    containers: inside.filter((path) => basename(path) === 'container.json'),
    storages: inside.filter((path) => basename(path) === 'storage.json'),
    apps: inside.filter((path) => basename(path) === 'app.json'),
  };
}

/** Finds the workspace's files on the disk. Folders named node_modules and dist, and hidden ones, are not searched. */
export function findFiles(root: string, infra: string): WorkspaceFiles {
  return sortFiles(walk(root, infra), infra);
}

/** The name that an environment file gives to its environment. */
export function environmentName(file: string): string {
  return basename(file, '.json');
}

/** The name of a file's project: the one that its content gives, else `zfs` for the storage host, and the folder's for all others. */
export function projectName(file: string, content: unknown): string {
  const name = (content as { name?: unknown } | null)?.name;
  if (typeof name === 'string' && name !== '') return name;
  return basename(file) === 'storage.json' ? 'zfs' : basename(dirname(file));
}

/** Reads a JSON file of the workspace. @throws InputError naming the file */
export function readJson(root: string, file: string): unknown {
  let text: string;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch (error) {
    throw new InputError(`${file}: cannot be read: ${error instanceof Error ? error.message : error}`, { page: 'files' });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes the text around the fault, which may be a password that somebody wrote in clear.
    const said = error instanceof Error ? error.message.replace(/, (?:\.\.\.)?".*$/s, '') : '';
    throw new InputError(`${file}: not valid JSON: ${said}`, {
      page: 'files',
      next: 'fix the file there; JSON has no comments and no comma after the last field',
    });
  }
}

/** The settings files of a workspace, one of {@link WorkspaceFiles} each: read once, however often they are asked for. */
export type Reader = {
  /** The workspace, absolute. */
  readonly root: string;
  /** The content of a file. @throws InputError, FileVersionError naming the file */
  settings(file: string): unknown;
  /** Its fields, unchecked; none where it cannot be read, which `settings` tells. */
  fields(file: string): Record<string, unknown>;
};

/** Reads the files of a workspace. */
export function readerOf(root: string): Reader {
  const known = new Map<string, { readonly content: unknown } | { readonly error: unknown }>();
  const read = (file: string) => {
    const found = known.get(file) ?? attempt(() => readKnown(root, file));
    known.set(file, found);
    return found;
  };
  return {
    root,
    settings: (file) => {
      const found = read(file);
      if ('error' in found) throw found.error;
      return found.content;
    },
    fields: (file) => {
      const found = read(file);
      return 'error' in found ? {} : { ...(found.content as Record<string, unknown> | null) };
    },
  };
}

function readKnown(root: string, file: string): unknown {
  const content = readJson(root, file);
  refuseOtherVersion(content, file);
  return content;
}

function attempt(work: () => unknown): { readonly content: unknown } | { readonly error: unknown } {
  try {
    return { content: work() };
  } catch (error) {
    return { error };
  }
}

function walk(root: string, folder: string): string[] {
  let entries: ReturnType<typeof list>;
  try {
    entries = list(join(root, folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === 'dist' ? [] : walk(root, path);
  });
}

function list(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}
