import { read } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { PoolInfo } from '../../snapshots/backend.ts';
import { zpoolOf } from '../../snapshots/set.ts';
import { datasetOf } from './dataset.ts';
import { zfsFailed } from './facts.ts';

/** What holds an instance's data on an Incus pool, see {@link leftoversOf}. @throws when ZFS does not tell */
export function leftoversFact(pool: PoolInfo): Fact<(projects: readonly string[], instance: string) => string[]> {
  const zpool = zpoolOf(pool.config['zfs.pool_name'] ?? pool.name);
  return {
    name: `file systems of ${zpool}`,
    command: read(['zfs', 'list', '-H', '-o', 'name', '-t', 'filesystem', '-r', zpool]),
    parse(result) {
      if (result.code !== 0) throw zfsFailed(result, `could not list the file systems of ${zpool}`);
      const names = result.stdout.split('\n').filter(Boolean);
      const stranger = names.find((name) => name !== zpool && !name.startsWith(`${zpool}/`));
      if (stranger !== undefined) throw new MooringError(`zfs list gave a line that is not known: ${stranger}`);
      return (projects, instance) => leftoversOf(names, pool, projects, instance);
    },
  };
}

/**
 * File systems that hold an instance's data although Incus does not list the instance: its dataset under any project of
 * the pool, and the states that roll-backs kept (`<pool>/mooring/<instance>-<time>`).
 *
 * @param names of all file systems of the ZFS pool
 */
function leftoversOf(names: readonly string[], pool: PoolInfo, projects: readonly string[], instance: string): string[] {
  const datasets = new Set(projects.map((project) => datasetOf(pool, project, instance)));
  const kept = `${zpoolOf([...datasets][0] ?? pool.name)}/mooring/${instance}-`;
  return names.filter((name) => datasets.has(name) || (name.startsWith(kept) && /^\d[\dTZ-]*$/.test(name.slice(kept.length))));
}
