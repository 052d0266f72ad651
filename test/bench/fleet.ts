import { randomBytes } from 'node:crypto';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeWorkspace, SECRETS } from '../e2e/make-workspace.ts';
import { ended, REPOSITORY, run, Workspace } from '../e2e/workspace.ts';

/** The host alias that `lab.sh staging` writes into `.lab/ssh_config`. */
export const HOST = 'veza-staging';

export const SERVICES = ['postgres', 'redis', 'rabbitmq', 'minio'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** One container of a fleet, by its project, its service and its name in Incus. */
export type Member = { readonly project: string; readonly service: ServiceName; readonly instance: string };

/** A workspace of the bench: containers in an Incus project of its own on the lab, reached over SSH. */
export type Fleet = {
  readonly workspace: Workspace;
  readonly members: readonly Member[];
  readonly secrets: Readonly<Record<string, string>>;
};

/** Written into the fleet's Incus project: whose it is. */
const OWNER = 'user.mooring.bench';

/** Path of the SSH configuration that reaches the lab. */
export const sshConfig = join(REPOSITORY, '.lab/ssh_config');

/**
 * Makes a fleet whose containers do not exist yet.
 *
 * @param environment also the name of its Incus project; what a killed bench left under it is taken away first
 * @throws Error when another bench is using that name
 */
export async function makeFleet(environment: string, services: readonly ServiceName[]): Promise<Fleet> {
  await removeLeftover(environment);
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, randomBytes(16).toString('hex')]));
  const workspace = await makeWorkspace({ environment, containers: services, secrets, over: { host: HOST, sshConfig: 'ssh_config' } });
  await run('incus', ['project', 'set', environment, `${OWNER}=${process.pid}`]);
  await cp(sshConfig, join(workspace.root, 'ssh_config'));
  await workspace.commit('the lab over SSH');
  return { workspace, secrets, members: services.map((service) => memberOf(workspace, service, service)) };
}

/** The same fleet with every service `times` times: postgres, postgres2, postgres3, … New containers do not exist yet. */
export async function growFleet(fleet: Fleet, times: number): Promise<Fleet> {
  const { workspace } = fleet;
  const added: Member[] = [];
  for (const { service, project } of fleet.members) {
    for (let number = 2; number <= times; number++) {
      const copy = `${project}${number}`;
      await cp(join(workspace.root, 'infra', project), join(workspace.root, 'infra', copy), { recursive: true });
      await workspace.edit(workspace.environmentFile, (content) => {
        const containers = content.containers as Record<string, unknown>;
        if (project in containers) containers[copy] = containers[project];
      });
      added.push(memberOf(workspace, copy, service));
    }
  }
  await workspace.commit(`each service ${times} times`);
  return { ...fleet, members: [...fleet.members, ...added] };
}

function memberOf(workspace: Workspace, project: string, service: ServiceName): Member {
  return { project, service, instance: workspace.instance(project) };
}

async function removeLeftover(environment: string): Promise<void> {
  const { code, output } = await ended('incus', ['project', 'get', environment, OWNER], REPOSITORY);
  if (code !== 0) {
    if (!/not found/i.test(output)) throw new Error(`incus project get ${environment}: ${output.trim()}`);
    return;
  }
  const pid = Number(output);
  if (Number.isInteger(pid) && pid > 0 && isAlive(pid))
    throw new Error(`another bench (process ${pid}) is using ${environment}; wait for it`);
  // Where its folder was is not known: an empty one stands for it.
  await new Workspace(await mkdtemp(join(tmpdir(), 'mooring-leftover-')), environment).remove();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
