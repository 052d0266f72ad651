import type { Service } from '../engine/service.ts';

/** A line for each service: its module, loaded when it is asked for, and whether it declares artifacts. */
const ALL = {
  minio: [() => import('./minio/service.ts'), 'artifacts'],
  postgres: [() => import('./postgres/service.ts')],
  rabbitmq: [() => import('./rabbitmq/service.ts')],
  redis: [() => import('./redis/service.ts')],
} as const;

/** The services of nx-mooring by name, each loaded when it is asked for. */
// biome-ignore lint/suspicious/noExplicitAny: each service has settings of its own type
export const services: Readonly<Record<string, () => Promise<Service<any>>>> = Object.fromEntries(
  Object.entries(ALL).map(([name, [load]]) => [name, async () => (await load()).default]),
);

/** Those that declare artifacts, told without loading them: Nx asks in every command. A test holds it to the services. */
export const WITH_ARTIFACTS: ReadonlySet<string> = new Set(
  Object.entries(ALL).flatMap(([name, [, artifacts]]) => (artifacts === undefined ? [] : [name])),
);
