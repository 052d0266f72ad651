import { MooringError } from '../../engine/errors.ts';
import type { Health } from '../../engine/service.ts';
import { attempt } from '../../shared/attempt.ts';
import type { Outcome } from '../../shared/request.ts';

/** What a container or guest answered. */
type Asked = {
  readonly instance: string;
  /** What answers, with its version, for people: `redis 7.0.15`. */
  readonly what: string;
  readonly address: string;
  readonly health: Health;
};

/** What verify knows of one project. Unhealthy: it was asked. Unknown: it could not be. */
export type Verified = { readonly project: string } & (
  | { readonly answer: Asked }
  | { readonly health: 'unhealthy' | 'unknown'; readonly error: MooringError }
);

/**
 * Asks each; that one fails does not hide the others.
 *
 * @param ask gives the error that says why it cannot be asked; throws that of one that does not work
 */
export async function verifyEach<T extends { readonly project: string }>(
  targets: readonly T[],
  ask: (target: T) => Promise<Asked | MooringError>,
): Promise<Verified[]> {
  return Promise.all(
    targets.map(async (target): Promise<Verified> => {
      const { project } = target;
      const asked = await attempt(() => ask(target));
      if ('error' in asked) return { project, health: 'unhealthy', error: asked.error };
      const { value } = asked;
      return value instanceof MooringError ? { project, health: 'unknown', error: value } : { project, answer: value };
    }),
  );
}

/** What verify knows of an environment. */
export type AllVerified = { readonly environment: string; readonly verified: readonly Verified[] };

/** How the verb ends; degraded is no failure. */
export function allVerified(environment: string, verified: readonly Verified[]): Outcome<AllVerified> {
  const failed = verified.flatMap((one) => ('error' in one ? [one.project] : []));
  return { success: failed.length === 0, data: { environment, verified }, failed };
}
