import { SafetyError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Instance } from '../../engine/instance.ts';
import { instanceMarkFact } from './instance-mark.ts';

/** As which ids of the host an instance's files are written (Incus `volatile.last_state.idmap`). */
const IDMAP = 'volatile.last_state.idmap';

/**
 * Refuses to go back to files that were written under other ids of the host than Incus now takes them for: it would start
 * the container on files that belong to nobody in it. A snapshot that tells nothing of it is passed over.
 */
export function sameIds(instance: Instance, dataset: string, snapshot: string): Fact<void> {
  const fact = instanceMarkFact(`${dataset}@${snapshot}`, instance.name);
  return {
    ...fact,
    parse(result) {
      const found = fact.parse(result);
      if (found === 'absent' || found.source !== 'local') return;
      const now = instance.config[IDMAP];
      if (found.mark.idmap === now) return;
      throw new SafetyError(
        `the files of ${snapshot} belong to other ids of the host (${IDMAP} was ${found.mark.idmap ?? 'none'}, now ${now ?? 'none'})`,
        {
          instance: instance.name,
          next: `give the instance the idmap of that time (incus config show), or take the data from a clone of ${snapshot}`,
        },
      );
    },
  };
}
