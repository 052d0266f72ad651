import { explainedBy, InputError } from '../../engine/errors.ts';
import type { Answer, VerbRequest } from '../../shared/request.ts';
import type { PruneOptions } from './options.ts';
import { type PreservedLeft, type PrunedPreserved, prunePreserved } from './preserved.ts';
import { type Pruned, pruneRestorePoints } from './restore-points.ts';

/** Destroys the restore points that no rule keeps; with `--preserved` what is named of what roll-backs left. @throws MooringError */
export async function prune(request: VerbRequest<PruneOptions, readonly PreservedLeft[]>): Promise<Answer<Pruned | PrunedPreserved>> {
  const { preserved, kept, destroy } = request.options;
  if (preserved || kept) return prunePreserved(request).catch(explainedBy('restorePoints'));
  if (destroy.length > 0)
    throw new InputError('--destroy is for --preserved: what else goes is decided by the rules', {
      next: '--preserved --destroy=<name>',
      page: 'restorePoints',
    });
  return pruneRestorePoints(request).catch(explainedBy('restorePoints'));
}
