import { MooringError } from '../engine/errors.ts';
import type { Health } from '../engine/service.ts';
import type { Target } from './run.ts';
import { parseProbe } from './stages.ts';
import type { GuestLook } from './survey.ts';

/**
 * What both probes say of a container that was looked at: that the application can read and write, and what has to be seen to all the same.
 *
 * @throws MooringError when one of them fails
 */
export async function verified(target: Target, look: GuestLook): Promise<Health> {
  const inside = parseProbe(target.service, look.desired, look.answers);
  const outside = await look.outside;
  if (outside instanceof MooringError) throw outside;
  const degraded = [...new Set([...(inside.degraded ?? []), ...(outside.degraded ?? [])])];
  return degraded.length === 0 ? inside : { ...inside, degraded };
}

/** Why a container that was looked at does not work; nothing where it does. */
export function whyBroken(target: Target, look: GuestLook): Promise<MooringError | undefined> {
  return verified(target, look).then(
    () => undefined,
    (error: MooringError) => error,
  );
}

/** How a health reads behind a service's name and version: `is healthy (AUTH and PING, from inside and over 10.77.0.211)`. */
export function showHealth({ detail, degraded }: Health, address: string): string {
  const asked = `${detail}, from inside and over ${address}`;
  return degraded === undefined ? `is healthy (${asked})` : `is degraded: ${degraded.join('; ')} (${asked})`;
}
