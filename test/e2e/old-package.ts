import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, REPOSITORY, run, type Workspace } from './workspace.ts';

const TARBALL = join(REPOSITORY, 'test/old/nx-mooring-cb895aa.tgz');
/** Its own dependencies; nx is this repository's, as it is for today's code. */
const INSTALL = ['--omit=dev', '--omit=peer', '--legacy-peer-deps', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund'];

/** The nx-mooring of an earlier commit, which workspaces can use instead of this repository's. */
export type OldPackage = {
  /** The workspace goes on with the old one. */
  use(workspace: Workspace): Promise<void>;
  /** The workspace goes on with this repository's. */
  leave(workspace: Workspace): Promise<void>;
  remove(): Promise<void>;
};

/** Installs the package of commit cb895aa beside links to everything else of this repository's node_modules. */
export async function installOldPackage(): Promise<OldPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-old-'));
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'nx-mooring');
  await mkdir(own, { recursive: true });
  const others = (await readdir(join(REPOSITORY, 'node_modules'))).filter((name) => name !== 'nx-mooring');
  for (const name of others) await symlink(join(REPOSITORY, 'node_modules', name), join(modules, name));
  await run('tar', ['-xzf', TARBALL, '--strip-components=1', '-C', own]);
  const { code, output } = await ended('npm', ['install', ...INSTALL], own);
  if (code !== 0) throw new Error(`npm install of what the old package depends on: exit code ${code}: ${output}`);
  return {
    use: (workspace) => link(workspace, modules),
    leave: (workspace) => link(workspace, join(REPOSITORY, 'node_modules')),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function link({ root }: Workspace, modules: string): Promise<void> {
  await rm(join(root, 'node_modules'));
  await symlink(modules, join(root, 'node_modules'));
}
