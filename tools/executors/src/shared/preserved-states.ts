import type { CommandResult } from '../engine/command.ts';
import { byBackend, type SnapshotBackend } from '../snapshots/backend.ts';
import { type PreservedState, preservedOf } from '../snapshots/preserved.ts';
import { BACKENDS } from './backends.ts';
import type { Survey } from './survey.ts';

/** Preserved states, with the backend that they are of. */
export type Preserved = { readonly backend: SnapshotBackend; readonly states: readonly PreservedState[] };

/**
 * The states that roll-backs of an environment left on one host, newest first; the one thing that a survey does not ask,
 * for a deploy has no use for it. Also those of containers that are there no more: they hold data all the same.
 */
export async function preservedStates({ host, coverage }: Pick<Survey, 'host' | 'coverage'>, environment: string): Promise<Preserved[]> {
  const asked = byBackend(BACKENDS, coverage.volumes).flatMap(({ backend, own }) => {
    const fact = backend.preserved(own);
    return fact === undefined ? [] : [{ backend, fact }];
  });
  if (asked.length === 0) return [];
  const results = await host.run(asked.map(({ fact }) => fact.command));
  return asked.map(({ backend, fact }, i) => ({
    backend,
    states: preservedOf(fact.parse(results[i] as CommandResult).filter(({ mark }) => mark.environment === environment)),
  }));
}
