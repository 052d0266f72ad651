import type { CommandResult } from '../engine/command.ts';
import { keptFact } from '../platforms/zfs/lineage.ts';
import { type KeptState, keptOf } from '../snapshots/kept.ts';
import { zpoolOf } from '../snapshots/set.ts';
import type { Survey } from './survey.ts';

/**
 * The states that roll-backs of an environment left on one host, newest first; the one thing that a survey does not ask,
 * for a deploy has no use for it. Also those of containers that are there no more: they hold data all the same.
 */
export async function keptStates({ host, coverage }: Pick<Survey, 'host' | 'coverage'>, environment: string): Promise<KeptState[]> {
  const pools = coverage.volumes.flatMap((volume) => (volume.kind === 'zfs' ? [zpoolOf(volume.dataset)] : []));
  if (pools.length === 0) return [];
  const fact = keptFact(pools);
  const [result] = await host.run([fact.command]);
  return keptOf(fact.parse(result as CommandResult).filter(({ mark }) => mark.environment === environment));
}
