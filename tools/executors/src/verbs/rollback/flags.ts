import { InputError } from '../../engine/errors.ts';
import { complete, nxRun } from '../../engine/nx-command.ts';
import type { VerbRequest } from '../../shared/request.ts';
import type { RollbackOptions } from './options.ts';

/** Before a secret is read. @throws InputError for flags that do not go together, with the whole command that lists what there is */
export async function refuseFlags({
  environment,
  world,
  options,
}: Pick<VerbRequest<RollbackOptions>, 'environment' | 'world' | 'options'>): Promise<void> {
  const problem = wrongFlags(options);
  if (problem === undefined) return;
  const { storage } = await world.files.look();
  throw complete(problem, { environment, storage: storage?.project });
}

function wrongFlags(options: RollbackOptions): InputError | undefined {
  if (options.release !== undefined)
    return new InputError(`--release=${options.release} is not taken: "roll back, release X" reads as "back to X", and as "undo X"`, {
      next: `--before=${options.release} for the state before it was deployed`,
    });
  const given = [options.before !== undefined && '--before', options.to !== undefined && '--to', options.undo && '--undo'].filter(Boolean);
  if (given.length !== 1)
    return new InputError(given.length === 0 ? 'no destination given' : `${given.join(' and ')} do not go together`, {
      next: `--before=<sha>, --to=<restore point> or --undo; ${nxRun('snapshots')} lists the restore points`,
    });
  if (options.undo && options.inPlace) return new InputError('--undo brings back what was kept; there is nothing to do in place');
  if (options.discardNewer.length > 0 && !options.inPlace)
    return new InputError('--discard-newer is for --in-place: without it nothing is destroyed', {
      next: 'leave one of them out, or give both',
    });
  return undefined;
}
