import type { CommandResult } from '../../engine/command.ts';
import { SafetyError } from '../../engine/errors.ts';
import { instanceMarkFact } from '../../platforms/zfs/instance-mark.ts';
import type { RollbackView } from './look.ts';
import type { ContainerRollback } from './volume-plan.ts';

/** As which ids of the host an instance's files are written (Incus `volatile.last_state.idmap`). */
const IDMAP = 'volatile.last_state.idmap';

/**
 * Refuses to go back to files that were written under other ids of the host than Incus now takes them for: it would start
 * the container on files that belong to nobody in it. A snapshot that tells nothing of it, and one that has left the live
 * dataset already, are passed over.
 *
 * @throws SafetyError
 */
export async function refuseOtherIdmap(view: RollbackView, plans: readonly ContainerRollback[]): Promise<void> {
  const asked = plans.flatMap(({ candidate, volumes }) =>
    volumes.flatMap((one) => {
      if ((one.kind !== 'clone' && one.kind !== 'in-place') || one.volume.dataset === undefined || one.volume.volume !== undefined)
        return [];
      const { dataset } = one.volume;
      const listed = view.listing.get(dataset);
      if (listed === undefined || listed === 'absent' || !listed.snapshots.some(({ name }) => name === one.snapshot)) return [];
      return [{ candidate, snapshot: one.snapshot, fact: instanceMarkFact(`${dataset}@${one.snapshot}`, candidate.instance.name) }];
    }),
  );
  const results = await view.host.run(asked.map(({ fact }) => fact.command));
  for (const [i, { candidate, snapshot, fact }] of asked.entries()) {
    const found = fact.parse(results[i] as CommandResult);
    if (found === 'absent' || found.source !== 'local') continue;
    const now = candidate.instance.config[IDMAP];
    if (found.mark.idmap === now) continue;
    throw new SafetyError(
      `the files of ${snapshot} belong to other ids of the host (${IDMAP} was ${found.mark.idmap ?? 'none'}, now ${now ?? 'none'})`,
      {
        host: view.name,
        instance: candidate.instance.name,
        next: `give the instance the idmap of that time (incus config show), or take the data from a clone of ${snapshot}`,
      },
    );
  }
}
