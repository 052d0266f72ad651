import type { Redactor } from '../engine/redactor.ts';
import type { Answer, Outcome } from './request.ts';

/**
 * Does the work of a verb with an opened run of either tier, and closes it. Secrets of the run are hidden in what the work throws; what it
 * gives is made with what hides them.
 */
export async function answered<R extends { readonly clean: Redactor; close(): Promise<void> }, T>(
  opening: Promise<R>,
  work: (run: R) => Promise<Outcome<T>>,
): Promise<Answer<T>> {
  const run = await opening;
  try {
    return { ...(await work(run)), clean: run.clean };
  } catch (error) {
    throw run.clean.error(error);
  } finally {
    await run.close();
  }
}
