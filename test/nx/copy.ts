import { cp, lstat, mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { git, REPOSITORY, run, Workspace } from '../e2e/workspace.ts';

const PLUGIN = 'tools/executors';

/**
 * A copy of this workspace as it is now, with one commit. The plugin in it is the copy's own, so that a change of it is one of
 * the workspace; all other modules are the repository's. It asks no host.
 */
export async function copyRepository(): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), 'mooring-copy-'));
  const listed = await run('git', ['-C', REPOSITORY, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  for (const file of listed.split('\0').filter(Boolean)) {
    // A file that was deleted and not committed yet is still listed.
    if ((await lstat(join(REPOSITORY, file)).catch(() => undefined)) === undefined) continue;
    await mkdir(dirname(join(root, file)), { recursive: true });
    await cp(join(REPOSITORY, file), join(root, file));
  }
  await installModules(root);
  const copy = new Workspace(root, 'local');
  await git(root, 'init', '-q', '-b', 'main');
  await copy.commit('first');
  return copy;
}

/** A second clone of a workspace, somewhere else on this machine. */
export async function cloneOf({ root, environment }: Workspace): Promise<Workspace> {
  const clone = await mkdtemp(join(tmpdir(), 'mooring-clone-'));
  await git(clone, 'clone', '-q', root, '.');
  await installModules(clone);
  return new Workspace(clone, environment);
}

/** What `npm ci` would do, without a copy of each module. */
async function installModules(root: string): Promise<void> {
  await mkdir(join(root, 'node_modules'));
  for (const name of await readdir(join(REPOSITORY, 'node_modules')))
    await symlink(name === 'nx-mooring' ? join(root, PLUGIN) : join(REPOSITORY, 'node_modules', name), join(root, 'node_modules', name));
  await cp(join(REPOSITORY, PLUGIN, 'dist'), join(root, PLUGIN, 'dist'), { recursive: true });
}
