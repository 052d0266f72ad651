import { explainedBy, InputError } from '../../engine/errors.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import type { PruneOptions } from './options.ts';
import { type KeptLeft, type PrunedKept, pruneKept } from './preserved.ts';
import { type Pruned, pruneRestorePoints } from './restore-points.ts';

/** Destroys the restore points that no rule keeps; with `--preserved` what is named of what roll-backs left. @throws MooringError */
export async function prune(request: VerbRequest<PruneOptions, readonly KeptLeft[]>): Promise<Answer<Pruned | PrunedKept>> {
  const { preserved, kept, destroy } = request.options;
  if (preserved || kept) return pruneKept(request).catch(explainedBy('restorePoints'));
  if (destroy.length > 0)
    throw new InputError('--destroy is for --preserved: what else goes is decided by the rules', {
      next: '--preserved --destroy=<name>',
      page: 'restorePoints',
    });
  return pruneRestorePoints(request).catch(explainedBy('restorePoints'));
}
