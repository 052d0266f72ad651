import { showError } from '../engine/errors.ts';
import { showHealth } from '../shared/verified.ts';
import type { AllVerified, Verified } from '../verbs/verify/each.ts';
import type { VerifyOptions } from '../verbs/verify/options.ts';
import type { Report } from './report.ts';

/** What verify answers with, of both tiers. */
export const verifyReport: Report<AllVerified, VerifyOptions> = {
  text: ({ verified }) => showVerified(verified),
  json: ({ environment, verified }, clean) => clean.json(jsonVerified(environment, verified), 2),
};
export const verifyAppsReport = verifyReport;

/** A line for each that answers, an error for each other. */
function showVerified(verified: readonly Verified[]): string {
  return verified
    .map((one) =>
      'error' in one ? showError(one.error) : `${one.project}: ${one.answer.what} ${showHealth(one.answer.health, one.answer.address)}`,
    )
    .join('\n');
}

/** The same for programs. */
function jsonVerified(environment: string, verified: readonly Verified[]): object {
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
