import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expectConverged } from './expectations.ts';
import type { OldPackage } from './old-package.ts';
import type { RunningNx } from './running.ts';
import type { Workspace } from './workspace.ts';

/** Releases, in the order of their letters. */
export const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40)) as [string, string, string, string];

/** Names of restore points with a letter for the release. */
export const shortened = (name: string): string => name.replace(/([a-d])\1{39}/, '$1');

/** As they were when the old package was made: a file of `infra/` of today may hold what that does not know. */
const OLD_REDIS = { password: { secret: 'REDIS_PASSWORD' }, maxmemory: '256mb', maxmemoryPolicy: 'noeviction' };

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

/** Prepares a workspace whose one container, Redis, the old package deploys to one host. */
export async function useOldPackage(workspace: Workspace, old: OldPackage): Promise<void> {
  await workspace.edit('infra/redis/container.json', (file) => Object.assign(file, { settings: OLD_REDIS }));
  await old.use(workspace);
  await workspace.commit('one host');
}

/**
 * What the old package is used for: it deploys A and B to one host, then C and B again to two, where a second Redis is on the second one.
 * Sets of B then have different names. It goes back to before B.
 *
 * @param cache what the environment's file says of the second Redis
 */
export async function oldHistory(workspace: Workspace, stored: Keys, cache: Record<string, unknown>): Promise<void> {
  const deploy = (release: string) => expectConverged(workspace.configure(`--release=${release}`));
  await deploy(A);
  await stored.write('of-a', 'redis');
  await deploy(B);
  await stored.write('of-b', 'redis');
  await cp(join(workspace.root, 'infra/redis'), join(workspace.root, 'infra/cache'), { recursive: true });
  await workspace.edit(workspace.environmentFile, (file) => Object.assign(file, { containers: { cache } }));
  await workspace.commit('two hosts');
  await deploy(C);
  await stored.write('of-c', 'redis', 'cache');
  await deploy(B);
  await stored.write('of-b2', 'redis', 'cache');
  await expectConverged(workspace.run('zfs', 'rollback', `--before=${B}`, '--yes'));
}

/** Goes on with the package of this repository, as after an upgrade that is committed. */
export async function upgrade(workspace: Workspace, old: OldPackage): Promise<void> {
  await old.leave(workspace);
  await workspace.commit('upgraded');
}

/**
 * The old package deploys a release, and is killed; then the workspace is upgraded.
 *
 * @param begin starts the deploy, and returns when it is to be killed
 * @returns the flag with which the next run takes the lease of the dead one
 */
export async function killedOldDeploy(workspace: Workspace, old: OldPackage, begin: () => Promise<RunningNx>): Promise<string> {
  await old.use(workspace);
  await workspace.commit('not upgraded');
  const run = await begin();
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
