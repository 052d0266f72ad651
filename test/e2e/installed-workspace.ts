import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeProject } from './make-workspace.ts';
import { ended, nxEnvironment, REPOSITORY, run, Workspace } from './workspace.ts';

/** A workspace with an nx and an nx-mooring of its own in node_modules: nothing in it is of this repository. */
export class InstalledWorkspace extends Workspace {
  override nxCommand(args: readonly string[]): [string, ...string[]] {
    return [join(this.root, 'node_modules/.bin/nx'), ...args];
  }

  /** Puts the lab's Incus into the environment's file, and makes the Incus project that it names. */
  async useLab(): Promise<void> {
    const lab = JSON.parse(await readFile(join(REPOSITORY, 'infra/environments/local.json'), 'utf8'));
    await this.removeFromHost();
    await makeProject(this.environment, lab.network);
    await this.edit(this.environmentFile, (file) =>
      Object.assign(file, {
        incus: { ...lab.incus, project: this.environment },
        prefix: `${this.environment}-`,
        network: lab.network,
      }),
    );
  }
}

/** How `nx add` gets the package. */
export type Installation = {
  readonly manager: 'npm' | 'pnpm';
  /** What the package manager needs beside the rest. */
  readonly env: Record<string, string>;
};

const INSTALL = { npm: ['install', '--save-dev', '--no-audit', '--no-fund'], pnpm: ['add', '--save-dev'] } as const;

/**
 * An empty Nx workspace of one commit, to which `nx add` has brought the package.
 *
 * @param spec as `nx add` is given it: a tarball, or the name
 * @throws with what the package manager or nx printed
 */
export async function makeInstalledWorkspace(
  environment: string,
  spec: string,
  installation: Installation = { manager: 'npm', env: npmEnvironment() },
): Promise<InstalledWorkspace> {
  const workspace = await makeEmptyWorkspace(environment, installation);
  await must(workspace.nx(['add', spec], { env: installation.env }));
  return workspace;
}

/** An Nx workspace of one commit, without the package. @throws with what the package manager printed */
export async function makeEmptyWorkspace(environment: string, { manager, env }: Installation): Promise<InstalledWorkspace> {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'node_modules/nx/package.json'), 'utf8'));
  const root = await mkdtemp(join(tmpdir(), `mooring-${environment}-`));
  const workspace = new InstalledWorkspace(root, environment);
  const files = { 'package.json': '{ "name": "@acme/shop", "private": true }\n', 'nx.json': '{}\n', '.gitignore': 'node_modules/\n.nx/\n' };
  for (const [file, content] of Object.entries(files)) await writeFile(join(root, file), content);
  await must(ended(manager, [...INSTALL[manager], `nx@${version}`], root, env));
  await run('git', ['-C', root, 'init', '-q', '-b', 'main']);
  await workspace.commit('empty');
  return workspace;
}

/** What npm needs beside the rest: the registry may be behind a proxy, or a certificate authority of the machine's own. */
function npmEnvironment(): Record<string, string> {
  return { ...process.env, ...nxEnvironment() } as Record<string, string>;
}

async function must(work: Promise<{ code: number; output: string }>): Promise<void> {
  const { code, output } = await work;
  if (code !== 0) throw new Error(`exit code ${code}: ${output}`);
}
