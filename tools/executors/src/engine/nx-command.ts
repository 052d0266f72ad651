import { MooringError, ProblemsError } from './errors.ts';

/** What a run is about, as nx names it. */
export type Names = { readonly environment: string; readonly storage: string | undefined };

/** Stand for the names of a run where an error is made that does not know them; {@link complete} puts them in. */
const ENVIRONMENT = '<environment>';
const STORAGE = '<storage project>';

/**
 * A command to type, whole: `nx run zfs:snapshots -c staging`.
 *
 * @param target `snapshots`
 * @param of whose target it is, and in which environment; of the storage project and the environment of the run when left out
 * @param flags as they are typed
 */
export function nxRun(target: string, of: { project?: string; environment?: string } = {}, ...flags: readonly string[]): string {
  return ['nx run', `${of.project ?? STORAGE}:${target}`, '-c', of.environment ?? ENVIRONMENT, ...flags].join(' ');
}

/** Gives the commands of an error's `next` the names of the run, so that they can be typed as they stand. */
export function complete<E>(error: E, { environment, storage }: Names): E {
  if (error instanceof ProblemsError) for (const problem of error.problems) complete(problem, { environment, storage });
  if (error instanceof MooringError && error.detail.next !== undefined)
    error.detail.next = error.detail.next.replaceAll(ENVIRONMENT, () => environment).replaceAll(STORAGE, () => storage ?? STORAGE);
  return error;
}
