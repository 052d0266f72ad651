import { showError } from '../engine/errors.ts';
import { showHealth } from '../shared/verified.ts';
import type { Verified } from '../verbs/verify/each.ts';

/** A line for each that answers, an error for each other. */
export function showVerified(verified: readonly Verified[]): string {
  return verified
    .map((one) =>
      'error' in one ? showError(one.error) : `${one.project}: ${one.answer.what} ${showHealth(one.answer.health, one.answer.address)}`,
    )
    .join('\n');
}

/** The same for programs. */
export function jsonVerified(environment: string, verified: readonly Verified[]): object {
  return {
    environment,
    verified: verified.map((one) => {
      if ('error' in one) return { project: one.project, health: one.health, reasons: [one.error.message], error: showError(one.error) };
      const { instance, address, health } = one.answer;
      const { version, detail, degraded = [] } = health;
      return {
        ...{ project: one.project, health: degraded.length === 0 ? 'healthy' : 'degraded', reasons: degraded },
        ...{ instance, address, version, asked: detail },
      };
    }),
  };
}
