/** What a new container's file begins with, beside its service. */
export type Starter = { readonly description: string; readonly settings: Readonly<Record<string, unknown>> };

/** Makes the reference to a secret of the container from the end of its name: `PASSWORD`. */
type Reference = (name: string) => { readonly secret: string };

const STARTERS: Readonly<Record<string, (secret: Reference, container: string) => Starter>> = {
  postgres: (secret) => ({
    description: "PostgreSQL: the application's database",
    settings: { role: 'app', database: 'app', password: secret('PASSWORD') },
  }),
  redis: (secret) => ({
    description: 'Redis: sessions and job queues, kept by an append-only file',
    settings: { password: secret('PASSWORD'), maxmemory: '256mb', maxmemoryPolicy: 'noeviction' },
  }),
  rabbitmq: (secret) => ({
    description: 'RabbitMQ: messages between the services',
    settings: { user: 'app', vhost: '/app', password: secret('PASSWORD'), erlangCookie: secret('ERLANG_COOKIE') },
  }),
  minio: (secret, container) => ({
    description: 'MinIO: uploads, by the S3 protocol',
    settings: {
      bucket: `${container}-\${environment}`,
      accessKey: secret('ACCESS_KEY'),
      secretKey: secret('SECRET_KEY'),
      rootUser: secret('ROOT_USER'),
      rootPassword: secret('ROOT_PASSWORD'),
    },
  }),
};

/** The starter of one of nx-mooring's own services; its secrets are named after the container. Nothing for another service. */
export function starter(service: string, container: string): Starter | undefined {
  return STARTERS[service]?.(reference(container), container);
}

/** The starter of a service of the workspace's own, as the template of `service.ts` has its settings. */
export function ownStarter(service: string, container: string): Starter {
  return { description: `${service}: a service of this workspace's own`, settings: { password: reference(container)('PASSWORD') } };
}

function reference(container: string): Reference {
  return (name) => ({ secret: `${container.toUpperCase().replaceAll('-', '_')}_${name}` });
}
