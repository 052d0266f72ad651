import { join } from 'node:path';

/** The variable that carries the run's id from the hook to every task of the command. */
export const RUN_ID = 'MOORING_RUN_ID';

/**
 * A run's id: when it began (UTC) and 48 random bits, `20260131T235959-0f1e2d3c4b5a`.
 * Never taken for a number by a command-line parser: it has a `T` and a hyphen.
 */
export function newRunId(now: Date, random: Uint8Array): string {
  const time = now
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '');
  return `${time}-${Buffer.from(random).toString('hex')}`;
}

/** What the id of a run is made of. */
type Chance = { now(): Date; random(bytes: number): Uint8Array };

/** An id of its own, for what must not be taken for another part of its command. */
export function ownRunId({ now, random }: Chance): string {
  return newRunId(now(), random(6));
}

/** The id that all processes of the command have. One of its own where there was none given. */
export function runIdOf({ env, ...chance }: Chance & { readonly env: Readonly<Record<string, string | undefined>> }): string {
  return env[RUN_ID] ?? ownRunId(chance);
}

/** A folder that says that a run may hold something on a host. The executors write into it, `finishRun` removes it. */
export function runMarker(root: string, runId: string): string {
  return join(root, '.nx', 'mooring', 'runs', runId);
}
