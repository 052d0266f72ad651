import { didYouMean } from '../engine/did-you-mean.ts';
import { InputError } from '../engine/errors.ts';

// No zod here: the plugin's hook imports this in every nx command.

/** The error for an environment that is not there. */
export function unknownEnvironment(name: string, known: readonly string[]): InputError {
  const meant = didYouMean(name, known);
  const offer = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return new InputError(`There is no environment "${name}". Known environments: ${known.join(', ') || 'none'}.${offer}`, {
    next: `--configuration=${meant ?? '<environment>'}`,
  });
}
