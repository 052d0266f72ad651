import { MooringError } from '../engine/errors.ts';

/** What came of something that may fail; a fault of nx-mooring itself is thrown on. */
export type Attempted<T> = { readonly value: T } | { readonly error: MooringError };

/** Does it, so that its failure does not hide what the others come to. */
export async function attempt<T>(work: () => T | Promise<T>): Promise<Attempted<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return failed(error);
  }
}

/** The same for what is not waited for. */
export function attemptNow<T>(work: () => T): Attempted<T> {
  try {
    return { value: work() };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): { readonly error: MooringError } {
  if (error instanceof MooringError) return { error };
  throw error;
}
