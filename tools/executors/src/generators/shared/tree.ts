import { readNxJson, type Tree } from '@nx/devkit';
import { InputError } from '../../engine/errors.ts';
import { infraOf, sortFiles, type WorkspaceFiles } from '../../workspace/files.ts';
import { formatJson } from './format-json.ts';

/** The infra folder, and the files of the workspace that the plugin knows, as the tree has them. */
export function filesOf(tree: Tree): { readonly infra: string; readonly files: WorkspaceFiles } {
  const infra = infraOf(readNxJson(tree) ?? undefined);
  return { infra, files: sortFiles(walk(tree, infra), infra) };
}

/** Writes a JSON file, unless there is one. */
export function addJson(tree: Tree, path: string, content: unknown): void {
  if (!tree.exists(path)) tree.write(path, formatJson(content));
}

/** The content of a JSON file that is there. @throws InputError when it is none */
export function readJsonOf(tree: Tree, path: string): unknown {
  try {
    return JSON.parse(tree.read(path, 'utf-8') ?? '');
  } catch {
    throw new InputError(`${path}: not valid JSON`, { next: 'fix it, or take it away' });
  }
}

/** Adds lines to the end of a text file, after an empty line; makes the file where there is none. */
export function appendLines(tree: Tree, path: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const before = (tree.read(path, 'utf-8') ?? '').trimEnd();
  tree.write(path, `${[...(before === '' ? [] : [before, '']), ...lines].join('\n')}\n`);
}

/** Where a file's `$schema` of this package is, for a file in that folder of the workspace. */
export function schemaPath(folder: string, name: string): string {
  return `${'../'.repeat(folder.split('/').length)}node_modules/nx-mooring/schemas/${name}.schema.json`;
}

function walk(tree: Tree, folder: string): string[] {
  return tree.children(folder).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (tree.isFile(path)) return [path];
    return name.startsWith('.') || name === 'node_modules' || name === 'dist' ? [] : walk(tree, path);
  });
}
