import { configuringRedis, uninstallRedis } from './in-the-middle.ts';
import type { OldPackage } from './old-package.ts';
import type { Workspace } from './workspace.ts';

/** As they were when the old package was made: a file of `infra/` of today may hold what that does not know. */
export const OLD_REDIS = { password: { secret: 'REDIS_PASSWORD' }, maxmemory: '256mb', maxmemoryPolicy: 'noeviction' };

/** The keys in the Redis containers of a workspace, by their project. */
export class Keys {
  readonly #workspace: Workspace;
  readonly #password: string;

  constructor(workspace: Workspace, password: string) {
    this.#workspace = workspace;
    this.#password = password;
  }

  async write(key: string, ...projects: readonly string[]): Promise<void> {
    for (const project of projects) await this.#redis(project, `set ${key} 1`);
  }

  /** Sorted, with a space between two. */
  async of(project: string): Promise<string> {
    return (await this.#redis(project, 'keys "*"')).trim().split('\n').sort().join(' ');
  }

  #redis(project: string, command: string): Promise<string> {
    return this.#workspace.guest(project, `REDISCLI_AUTH=${this.#password} redis-cli -e ${command}`);
  }
}

/** Goes on with the package of this repository, as after an upgrade that is committed. */
export async function upgrade(workspace: Workspace, old: OldPackage): Promise<void> {
  await old.leave(workspace);
  await workspace.commit('upgraded');
}

/**
 * The old package deploys a release, and is killed in the middle of an installation; then the workspace is upgraded.
 *
 * @returns the flag with which the next run takes the lease of the dead one
 */
export async function killedOldDeploy(workspace: Workspace, old: OldPackage, release: string): Promise<string> {
  await old.use(workspace);
  await workspace.commit('not upgraded');
  await uninstallRedis(workspace);
  const run = await configuringRedis(workspace, `--release=${release}`);
  run.killAll();
  await run.ended;
  await upgrade(workspace, old);
  const lease = await workspace.place.run('cat', [`/var/lib/mooring/${workspace.environment}/lease`]);
  return `--lease-take=${(JSON.parse(lease) as { runId: string }).runId}`;
}

/** What is marked on a container beside its service. */
export async function marksOf(workspace: Workspace, project: string): Promise<{ release: string | undefined; format: string | undefined }> {
  const { config } = await workspace.api<{ config: Record<string, string> }>(`instances/${workspace.instance(project)}`);
  return { release: config['user.mooring.release'], format: config['user.mooring.format'] };
}
