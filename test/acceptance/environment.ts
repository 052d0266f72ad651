import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Application, makeSecrets } from '../e2e/application.ts';
import { makeFolder } from '../e2e/make-workspace.ts';
import type { Place, Workspace } from '../e2e/workspace.ts';
import { ALIAS, machine, SSH_CONFIG } from './machine.ts';

export const ENVIRONMENT = 'acceptance';
export const CONTAINERS = ['postgres', 'redis', 'rabbitmq', 'minio'] as const;
/** Values of the environment's secrets. */
export const secrets = makeSecrets(ENVIRONMENT);

const PROJECT = 'veza-acceptance';
const PORTS: Readonly<Record<string, number>> = { postgres: 5432, redis: 6379, rabbitmq: 5672, minio: 9000 };
/** Where its containers are. */
export const place: Place = { project: PROJECT, run: (command, args) => machine.run(command, args) };

/** A workspace of a user whose environment is in the virtual machine, reached over SSH. */
export async function makeDistantWorkspace(
  containers: readonly string[] = CONTAINERS,
  over: Record<string, unknown> = {},
): Promise<Workspace> {
  const incus = { project: PROJECT, profiles: ['veza-data', 'veza-net'], image: 'mooring-services' };
  const workspace = await makeFolder(
    {
      environment: ENVIRONMENT,
      containers,
      secrets,
      over: { host: ALIAS, sshConfig: '.lab/ssh_config', network: 'veza-net0', incus, ...over },
    },
    place,
  );
  await mkdir(join(workspace.root, '.lab'));
  await cp(SSH_CONFIG, join(workspace.root, '.lab/ssh_config'));
  return workspace;
}

/** Adds another Redis to a workspace, on a pool of its own where one is named; the next deploy makes its container. */
export async function addRedis(workspace: Workspace, project: string, pool?: string): Promise<void> {
  await cp(join(workspace.root, 'infra/redis'), join(workspace.root, 'infra', project), { recursive: true });
  if (pool === undefined) return;
  const devices = { root: { type: 'disk', path: '/', pool } };
  await workspace.edit(workspace.environmentFile, (file) => Object.assign(file.containers as object, { [project]: { devices } }));
}

/** Takes a workspace's folder away; what is in the machine is gone with its next reset. */
export async function discard(workspace: Workspace | undefined): Promise<void> {
  if (workspace !== undefined) await rm(workspace.root, { recursive: true, force: true });
}

/** The dataset of a container on a pool. */
export function dataset(workspace: Workspace, container: string, pool = 'tank'): string {
  return `${pool}/incus/containers/${PROJECT}_${workspace.instance(container)}`;
}

/** The application, let in to the containers through the SSH connection. */
export class DistantApplication extends Application {
  override async address(project: string): Promise<string> {
    const port = PORTS[project];
    if (port === undefined) throw new Error(`the port of ${project} is not known`);
    return machine.reach(await super.address(project), port);
  }
}
