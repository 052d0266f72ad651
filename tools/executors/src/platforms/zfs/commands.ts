import { type Command, type CommandResult, write } from '../../engine/command.ts';
import { InputError, lastLines } from '../../engine/errors.ts';
import type { Cut } from '../../snapshots/backend.ts';
import { requireSetName } from '../../snapshots/name.ts';
import type { PreservedState } from '../../snapshots/preserved.ts';
import { groupBy, zpoolOf } from '../../snapshots/set.ts';
import { markArguments } from './marks.ts';
import type { ZfsVolume } from './volume.ts';

/** A cut is a moment's work; a pool that takes longer hangs. */
const TIMEOUT_MS = 120_000;

/**
 * The commands that cut a set, one per ZFS pool: within a pool all datasets are cut in one moment, or none is (a missing
 * one makes ZFS cut nothing). Instances that have a volume on ZFS are described in marks of their own.
 */
export function cutOnZfs(volumes: readonly ZfsVolume[], { name, mark, members, instances }: Cut): Command[] {
  const datasets = volumes.map(({ dataset }) => requireDataset(dataset));
  if (datasets.length === 0) return [];
  const described = instances.filter((one) => volumes.some(({ instance }) => instance === one.name));
  const marks = markArguments(mark, members, described);
  return [...groupBy(datasets, zpoolOf).values()].map((pool) =>
    write(['zfs', 'snapshot', ...marks, ...pool.map((dataset) => `${dataset}@${requireSetName(name)}`)], { timeoutMs: TIMEOUT_MS }),
  );
}

/**
 * Destroys snapshots of one dataset in one call. Never with `-r`, `-R` or `-d`: what is held or cloned makes the call fail
 * (as a whole), which is as it should be.
 */
export function destroyOnZfs(dataset: string, names: readonly string[]): Command {
  if (names.length === 0) throw new InputError(`no snapshot of ${dataset} to destroy is named`);
  return write(['zfs', 'destroy', `${requireDataset(dataset)}@${names.map(requireSetName).join(',')}`], { timeoutMs: TIMEOUT_MS });
}

/**
 * Destroys a preserved state with its snapshots: the one place where `-r` is used. What is held or cloned makes it fail as a whole.
 *
 * @throws InputError for a dataset that is not below a `mooring` one
 */
export function destroyPreservedState({ dataset, mark }: PreservedState): Command {
  if (dataset === mark.dataset || dataset.split('/').at(-2) !== 'mooring')
    throw new InputError(`'${dataset}' is not where a preserved state is: below a dataset called mooring`);
  return write(['zfs', 'destroy', '-r', requireDataset(dataset)], { timeoutMs: TIMEOUT_MS });
}

/** Why snapshots could not be destroyed, by name; `all` where ZFS did not single one out. `gone`: they are not there any more. */
export type DestroyFailure = { readonly byName: ReadonlyMap<string, string>; readonly all?: string; readonly gone: boolean };

/**
 * Reads why `zfs destroy` of a list failed (libzfs `zfs_destroy_snaps_nvl`, `zfs_main.c` `destroy_check_dependent`): it
 * names each snapshot that is in the way, and has then destroyed none.
 */
export function destroyFailure(result: CommandResult, dataset: string): DestroyFailure {
  const byName = new Map<string, string>();
  for (const line of result.stderr.split('\n')) {
    const found = /^cannot destroy snapshot ([^@]+)@([^@:]+): (.+)$/.exec(line) ?? /^cannot destroy '([^@]+)@([^@']+)': (.+)$/.exec(line);
    if (found?.[1] === dataset && found[2] !== undefined && found[3] !== undefined) byName.set(found[2], found[3].trim());
  }
  const gone = /^could not find any snapshots to destroy/m.test(result.stderr);
  if (byName.size > 0 || gone) return { byName, gone };
  return { byName, gone, all: lastLines(result.stderr || result.stdout, 1) || `exit code ${result.code}` };
}

/** A dataset's name, if nothing but a dataset can be meant by it. `@`, `,`, `%` and `#` have a meaning to `zfs`; a first hyphen is an option. */
function requireDataset(dataset: string): string {
  if (!/^[A-Za-z][\w.: -]*(\/[\w.: -]+)+$/.test(dataset))
    throw new InputError(`'${dataset}' is not the name of a ZFS dataset inside a pool`);
  return dataset;
}
