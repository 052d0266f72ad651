import type { Service } from '../engine/service.ts';

/** The services of nx-mooring by name, each loaded when it is asked for. */
// biome-ignore lint/suspicious/noExplicitAny: each service has settings of its own type
export const services: Readonly<Record<string, () => Promise<Service<any>>>> = {
  minio: async () => (await import('./minio/service.ts')).default,
  rabbitmq: async () => (await import('./rabbitmq/service.ts')).default,
  redis: async () => (await import('./redis/service.ts')).default,
};
