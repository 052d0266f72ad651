import type { Workspace } from '../e2e/workspace.ts';
import { place } from './environment.ts';
import { machine } from './machine.ts';

/** A snapshot as ZFS tells it. */
export type Seen = { readonly dataset: string; readonly name: string; readonly createtxg: number };

/** All snapshots of containers on the given pools, oldest first; those of Incus's images are not among them. */
export async function snapshots(...pools: readonly string[]): Promise<Seen[]> {
  const roots = (pools.length === 0 ? ['tank'] : pools).map((pool) => `${pool}/incus/containers`);
  const lines = await machine.zfs('list', '-H', '-p', '-t', 'snapshot', '-o', 'name,createtxg', '-s', 'createtxg', '-r', ...roots);
  return lines.map((line) => {
    const [, dataset, name, txg] = /^([^@]+)@([^\t]+)\t(\d+)$/.exec(line) ?? [];
    if (dataset === undefined || name === undefined) throw new Error(`zfs list printed what is no snapshot: ${line}`);
    return { dataset, name, createtxg: Number(txg) };
  });
}

/** Names of the sets that ZFS has, oldest first, each once. */
export async function setNames(...pools: readonly string[]): Promise<string[]> {
  return [...new Set((await snapshots(...pools)).map(({ name }) => name))];
}

/** Names of the instances of the environment's project, with their states. */
export async function instances(workspace: Workspace): Promise<string[]> {
  return (await workspace.incus('list', '--format=csv', '--columns=ns')).split('\n').filter(Boolean).sort();
}

/** Everything that a refused command must leave as it is: instances of all projects, data sets and snapshots of all pools. */
export async function everything(): Promise<unknown> {
  const listing = JSON.parse(await machine.run('incus', ['query', '/1.0/instances?recursion=1&all-projects=true'])) as {
    name: string;
    project: string;
    status: string;
    config: Record<string, string>;
  }[];
  return {
    project: place.project,
    instances: listing
      .map(({ name, project, status, config }) => ({ name, project, status, config }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    zfs: await machine.zfs('list', '-H', '-t', 'filesystem,snapshot', '-o', 'name,mounted,origin'),
  };
}
