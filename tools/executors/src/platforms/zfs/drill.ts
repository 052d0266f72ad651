import { type Command, script } from '../../engine/command.ts';
import { InputError } from '../../engine/errors.ts';
import { shellProgram } from '../../shell/program.ts';
import { requireSetName } from '../../snapshots/name.ts';

/**
 * Puts a clone of a snapshot, with the instance's name in `mooring:drill`, in the place of the empty data set that Incus made for a
 * throw-away instance. The empty one is destroyed
 * without `-r`, and only if it is no clone, has no snapshots and holds nothing: then it can be none that somebody needs.
 *
 * A clone has the properties of its new place; those that are set on the live data set itself go along, without reservations
 * (the space would be reserved twice), without user properties, which are marks, and without a quota of none: `zfs get -p` tells it as 0,
 * which `zfs clone` refuses (OpenZFS 2.3.9: "use 'none' to disable quota/refquota").
 *
 * @param live data set that has the snapshot
 * @param dataset of the throw-away instance `name`
 */
export function cloneForDrill(live: string, snapshot: string, dataset: string, name: string): Command {
  if (
    !/^drill-[A-Za-z0-9-]+-[0-9a-f]{6}$/.test(name) ||
    !new RegExp(`/containers/(?:[A-Za-z0-9_.-]+_)?${name}$`).test(dataset) ||
    dataset === live
  )
    throw new InputError(`'${dataset}' is not the data set of the throw-away instance ${name}`);
  return script('write', shellProgram(import.meta.url, 'clone-for-drill.sh'), [live, requireSetName(snapshot), dataset, name], {
    timeoutMs: 120_000,
  });
}
