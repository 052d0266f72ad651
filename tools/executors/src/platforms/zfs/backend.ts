import type { CommandResult } from '../../engine/command.ts';
import type { DestroyJob, SnapshotBackend, Stuck } from '../../snapshots/backend.ts';
import { groupBy, type SetMember, whereOf, zpoolOf } from '../../snapshots/set.ts';
import { createEmpty, removeDrill } from '../incus/drill.ts';
import { volumeProject } from '../incus/volumes.ts';
import { cutOnZfs, destroyFailure, destroyOnZfs, destroyPreservedState } from './commands.ts';
import { customDatasetOf, datasetOf } from './dataset.ts';
import { cloneForDrill } from './drill.ts';
import { datasetsCommand, parseDatasets, zfsFailed, zpoolsFact } from './facts.ts';
import { lookBackOnZfs } from './go-back.ts';
import { leftoversFact } from './leftovers.ts';
import { preservedFact, usesFact } from './lineage.ts';
import { foundOnZfs } from './marks.ts';
import { onZfs, ZFS, type ZfsMember } from './volume.ts';
import { writtenSinceFact } from './written.ts';

/** Restore points by ZFS itself: all volumes of a pool in one moment. */
export const zfsBackend: SnapshotBackend = {
  kind: ZFS,
  support: ({ driver }) => (driver === 'zfs' ? 'yes' : undefined),
  locate: (pool, { project, instance, volume }, projects) => ({
    kind: ZFS,
    dataset: volume === undefined ? datasetOf(pool, project, instance) : customDatasetOf(pool, volumeProject(project, projects), volume),
  }),
  list: (volumes) => (volumes.length === 0 ? [] : [zpoolsFact.command, datasetsCommand(volumes.map(datasetIn))]),
  parseList([zpools, datasets], { volumes, there, environment }) {
    const pools = zpoolsFact.parse(zpools as CommandResult);
    return [foundOnZfs(parseDatasets(datasets as CommandResult, volumes.map(datasetIn), pools), there.map(onZfs), environment)];
  },
  listInstances: () => [],
  parseInstances: () => [],
  cut: (volumes, cut) => cutOnZfs(volumes.map(onZfs), cut),
  refusal: ({ stderr }) => (/dataset already exists/.test(stderr) ? 'taken' : undefined),
  failed: zfsFailed,
  doubt(members) {
    for (const [pool, all] of groupBy(members.map(onZfs), ({ dataset }) => zpoolOf(dataset))) {
      const txgs = new Set(all.map(({ createtxg }) => createtxg));
      if (txgs.size > 1) return `its parts in pool ${pool} are of different moments (createtxg ${[...txgs].join(', ')})`;
    }
    return undefined;
  },
  destroy: (members) => [...groupBy(members.map(onZfs), ({ dataset }) => dataset)].map(([dataset, all]) => destroyJob(dataset, all)),
  destroyed,
  writtenSince(members) {
    const unique = (all: readonly string[]) => [...new Set(all)];
    const own = members.map(onZfs);
    return writtenSinceFact(unique(own.map(({ dataset }) => dataset)), unique(own.map(({ snapshot }) => snapshot)));
  },
  preserved: (volumes) => preservedFact(volumes.map((volume) => zpoolOf(onZfs(volume).dataset))),
  usesOf: usesFact,
  destroyPreserved: destroyPreservedState,
  lookBack: lookBackOnZfs,
  copyForDrill: (member, spec, pool) => [
    createEmpty(spec, pool.name),
    cloneForDrill(onZfs(member).dataset, spec.snapshot, datasetOf(pool, spec.project, spec.name), spec.name),
  ],
  removeDrill: (drill, project, pool) => removeDrill(drill, project, datasetOf(pool, project, drill.name)),
  leftovers: (pool) => (pool.driver === 'zfs' ? leftoversFact(pool) : undefined),
};

function datasetIn(volume: Parameters<typeof onZfs>[0]): string {
  return onZfs(volume).dataset;
}

/** One call for all snapshots of a dataset. */
function destroyJob(dataset: string, members: readonly ZfsMember[]): DestroyJob {
  const names = members.map(({ snapshot }) => snapshot);
  return { command: destroyOnZfs(dataset, names), members, lane: `${dataset}@${names[0]}` };
}

/** A list is refused whole for the sake of some: the rest is destroyed each for itself, so that none stands in another's way again. */
function destroyed({ members }: DestroyJob, result: CommandResult): { stuck: Stuck[]; again: DestroyJob[] } {
  const [first] = members.map(onZfs);
  if (first === undefined || result.code === 0) return { stuck: [], again: [] };
  const { gone, byName, all } = destroyFailure(result, first.dataset);
  if (members.length === 1) {
    const because = byName.get(first.snapshot) ?? all ?? `exit code ${result.code}`;
    return { stuck: gone ? [] : [{ where: whereOf(first), because }], again: [] };
  }
  const rest = gone ? [] : members.filter(({ snapshot }: SetMember) => !byName.has(snapshot));
  return {
    stuck: [...byName].map(([name, because]) => ({ where: `${first.dataset}@${name}`, because })),
    again: rest.map((member) => destroyJob(first.dataset, [onZfs(member)])),
  };
}
