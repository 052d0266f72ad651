import { expect } from 'vitest';
import type { AuditEntry } from '../../tools/executors/src/audit/audit.ts';
import { type DeploySpec, deploy, sha } from './deploy.ts';
import { ENVIRONMENT, newWorld, onTwoHosts, type Site } from './process.ts';
import type { World } from './world/world.ts';

export const FIRST: DeploySpec = { release: sha('a'), value: 'one' };
export const NEXT: DeploySpec = { release: sha('b'), value: 'one' };

export async function succeeds(site: Site, world: World, spec: DeploySpec): Promise<string> {
  const { result } = await deploy(site, world, spec);
  expect(result?.success, result?.output).toBe(true);
  world.pass(10);
  return result?.output ?? '';
}

/** The same, and what is deployed is used since: its state is another one from now on. */
export async function succeedsInUse(site: Site, world: World, spec: DeploySpec): Promise<string> {
  const output = await succeeds(site, world, spec);
  world.writeEverywhere();
  world.pass(10);
  return output;
}

export async function deployed(site = onTwoHosts): Promise<World> {
  const world = newWorld(site);
  await succeeds(site, world, FIRST);
  return world;
}

export function entries(world: World): AuditEntry[] {
  return (world.files.read(`/var/lib/mooring/${ENVIRONMENT}/audit.jsonl`) ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

export function vanish(world: World, instance: string): void {
  world.incus.instances.delete(`default/${instance}`);
  world.zfs.datasets.delete(`tank/incus/containers/${instance}`);
}
