import type { LoadConverge } from './run.ts';

/** Imports the use case, and with it everything that talks to hosts. */
export const loadConverge: LoadConverge = async () => (await import('../../usecases/converge.ts')).convergeTasks;
