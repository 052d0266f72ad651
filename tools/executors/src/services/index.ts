import type { Service } from '../engine/service.ts';

/** The services of nx-mooring by name, each loaded when it is asked for. */
// biome-ignore lint/suspicious/noExplicitAny: each service has settings of its own type
export const services: Readonly<Record<string, () => Promise<Service<any>>>> = {
  minio: async () => (await import('./minio/service.ts')).default,
  postgres: async () => (await import('./postgres/service.ts')).default,
  rabbitmq: async () => (await import('./rabbitmq/service.ts')).default,
  redis: async () => (await import('./redis/service.ts')).default,
};

/** Those that declare artifacts, told without loading them: Nx asks in every command. A test holds it to the services. */
export const WITH_ARTIFACTS: ReadonlySet<string> = new Set(['minio']);
