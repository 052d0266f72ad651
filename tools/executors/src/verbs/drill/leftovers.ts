import { MooringError } from '../../engine/errors.ts';
import { BACKENDS, INSTANCES } from '../../shared/backends.ts';
import type { Invocation } from '../../shared/run.ts';
import type { Survey } from '../../shared/survey.ts';
import type { PreparedContainer } from '../../shared/target.ts';
import { backendOf } from '../../snapshots/backend.ts';
import { shortName } from '../../snapshots/name.ts';
import type { Volume } from '../../snapshots/set.ts';
import { removeNow } from './copy.ts';

/** Takes away what earlier drills of this container have left. Nobody else is at one: this run has the lease of its drills. */
export async function removeLeftovers(run: Invocation, seen: Survey, target: PreparedContainer, volume: Volume): Promise<string[]> {
  const left = INSTANCES.drills.of(seen.incus.instances, run.environment.name, target.instance);
  const notes: string[] = [];
  for (const one of left) {
    if (one.kept) {
      notes.push(`${one.name} was kept by run ${one.run} (${shortName(one.snapshot)}) and is still there`);
      continue;
    }
    const remove = backendOf(BACKENDS, volume).removeDrill(one, target.incus.project, rootPoolOf(seen, volume));
    await removeNow(seen.host, { remove }, one.name);
    const sentence = `removed ${one.name}, left by run ${one.run}`;
    run.progress(`${target.project}: drill: ${sentence}`);
    notes.push(sentence);
  }
  return notes;
}

function rootPoolOf(seen: Survey, volume: Volume) {
  const pool = seen.incus.pools.find(({ name }) => name === volume.pool);
  if (pool === undefined) throw new MooringError(`Incus does not list the pool ${volume.pool}`);
  return pool;
}
