import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

const same = (a, b) => a.version === b.version && a.integrity === b.integrity && a.resolved === b.resolved;

/** Whether node_modules is what package-lock.json says; npm keeps a copy of what it installed in node_modules/.package-lock.json. */
export function modulesAreCurrent(workspace) {
  const wanted = packagesOf(join(workspace, 'package-lock.json'));
  const have = packagesOf(join(workspace, 'node_modules/.package-lock.json'));
  if (!wanted || !have) return false;
  // The root and the workspaces' own folders are in the lock file only; optional packages of other platforms were left out.
  const expected = Object.entries(wanted).filter(([path]) => path.startsWith('node_modules/') || path.includes('/node_modules/'));
  const missing = expected.some(([path, entry]) => (have[path] ? !same(have[path], entry) : !entry.optional && !entry.devOptional));
  return !missing && Object.keys(have).every((path) => path in wanted);
}

/** Whether the plugin was built from the sources that are there; the build itself knows how that is told. */
export async function pluginIsCurrent(workspace) {
  const plugin = join(workspace, 'tools/executors');
  try {
    const { hashSources } = await import(pathToFileURL(join(plugin, 'dist/plugin/source-hash.js')).href);
    return readFileSync(join(plugin, 'dist/.source-hash'), 'utf8').trim() === hashSources(plugin);
  } catch {
    return false;
  }
}
