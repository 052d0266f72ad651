import { HostError, InputError, type MooringError, ProblemsError, showError } from '../engine/errors.ts';

/** What could not be asked, by its name, and why. */
export function showAbsent(name: string, error: MooringError): string {
  const state =
    error instanceof HostError ? 'unreachable' : error instanceof InputError || error instanceof ProblemsError ? 'not valid' : 'unknown';
  return [
    `${name}: ${state}`,
    ...showError(error)
      .split('\n')
      .map((line) => `  ${line}`),
  ].join('\n');
}

/** The hosts that gave no answer, for a program. */
export function jsonUnreachable(dead: ReadonlyMap<string, MooringError>): { host: string; because: string; error: string }[] {
  return [...dead].map(([host, error]) => ({ host, because: error.message, error: showError(error) }));
}
