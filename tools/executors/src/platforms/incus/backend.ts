import type { CommandResult } from '../../engine/command.ts';
import { commandFailed, lastLines } from '../../engine/errors.ts';
import type { Listed, NoSupport, PoolInfo, SnapshotBackend } from '../../snapshots/backend.ts';
import { type Found, memberName, type Volume, whereOf } from '../../snapshots/set.ts';
import { copySnapshot, removeDrill } from './drill.ts';
import { seenInIncus } from './go-back.ts';
import { INCUS_SNAPSHOTS } from './set-marks.ts';
import {
  cutInIncus,
  deleteInIncus,
  foundInIncus,
  instancesCommand,
  isBeingCutInIncus,
  isGone,
  isTakenInIncus,
  parseInstances,
} from './snapshots.ts';
import { foundOnVolume, volumeSnapshotsCommand } from './volumes.ts';

/** Restore points by Incus, on whatever storage can: one volume after the other. */
export const incusBackend: SnapshotBackend = {
  kind: INCUS_SNAPSHOTS,
  support,
  locate: () => ({ kind: INCUS_SNAPSHOTS }),
  list: (volumes) => customVolumes(volumes).map(volumeSnapshotsCommand),
  parseList,
  listInstances: (volumes) => [...new Set(volumes.map(({ project }) => project))].map(instancesCommand),
  parseInstances,
  cut: cutInIncus,
  refusal: (failed) => (isTakenInIncus(failed) ? 'taken' : isBeingCutInIncus(failed) ? 'busy' : undefined),
  failed: commandFailed,
  doubt(members) {
    const mortal = members.filter(({ expires }) => expires !== undefined).map(memberName);
    return mortal.length === 0 ? undefined : `Incus would delete it by itself one day (expiry of ${mortal.join(', ')})`;
  },
  // Incus deletes two snapshots of one instance only one after the other (6.0.4: "record count doesn't match").
  destroy: (members) =>
    members.map((member) => ({ command: deleteInIncus(member), members: [member], lane: `${member.project}/${memberName(member)}` })),
  destroyed({ members }, result) {
    if (result.code === 0 || isGone(result)) return { stuck: [], again: [] };
    const because = lastLines(result.stderr || result.stdout, 1) || `exit code ${result.code}`;
    return { stuck: members.map((member) => ({ where: whereOf(member), because })), again: [] };
  },
  writtenSince: () => undefined,
  preserved: () => undefined,
  usesOf: nothingPreserved,
  destroyPreserved: nothingPreserved,
  lookBack: (volumes, listed) => ({
    commands: customVolumes(volumes).map(volumeSnapshotsCommand),
    further: (results) => ({ commands: [], done: () => seenInIncus(parseList(results, { ...listed, volumes })) }),
  }),
  copyForDrill: (_member, spec) => [copySnapshot(spec)],
  removeDrill: (drill, project) => removeDrill(drill, project, undefined),
  leftovers: () => undefined,
};

/** Incus can "snapshot" a dir pool too, but that copies files while a database writes to them: what it leaves is no state that ever was. */
function support({ name, driver, config }: PoolInfo): 'yes' | NoSupport | undefined {
  switch (driver) {
    case 'btrfs':
      return 'yes';
    case 'lvm':
      return config['lvm.use_thinpool'] === 'false'
        ? { because: `pool ${name} is lvm without a thin pool, whose snapshots fill up and become invalid` }
        : 'yes';
    case 'dir':
      return { because: `pool ${name} is a dir pool: a copy of a running database's files is not a restore point`, never: true };
    default:
      return undefined;
  }
}

function parseList(results: readonly CommandResult[], { volumes, instances, environment }: Omit<Listed, 'there'>): Found[] {
  return [
    foundInIncus(instances, volumes, environment),
    ...customVolumes(volumes).map((volume, i) => foundOnVolume(results[i] as CommandResult, volume, environment)),
  ];
}

function customVolumes(volumes: readonly Volume[]) {
  return volumes.flatMap((one) => (one.volume === undefined ? [] : [{ ...one, volume: one.volume }]));
}

function nothingPreserved(): never {
  throw new RangeError('a roll-back in Incus keeps the present as a snapshot, and no state beside it');
}
