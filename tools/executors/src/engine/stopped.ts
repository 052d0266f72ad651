import { AGAIN, MooringError } from './errors.ts';

/** The error of a run that was told to stop. What was begun was finished; nothing more was begun. */
export function stopped(signal: AbortSignal): MooringError {
  return new MooringError(`stopped: ${reasonOf(signal)}. What had begun was finished, nothing more was begun.`, { next: AGAIN });
}

/** Why a run has to end, as a text. */
export function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : String(reason);
}
