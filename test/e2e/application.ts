import { amqp, redis, s3, sql } from './clients.ts';
import { SECRETS } from './make-workspace.ts';
import type { Workspace } from './workspace.ts';

/** Values of all secrets by name. */
export type Secrets = Readonly<Record<string, string>>;

/** Values of our own for all secrets, told apart by a word. */
export function makeSecrets(word: string): Record<string, string> {
  return Object.fromEntries(SECRETS.map((name) => [name, `${name.toLowerCase().replaceAll('_', '-')}-of-${word}`]));
}

const of = (secrets: Secrets, name: string): string => {
  const value = secrets[name];
  if (value === undefined) throw new Error(`the test has no ${name}`);
  return value;
};

/** An application that uses the services, with clients that know nothing of nx-mooring. */
export class Application {
  readonly #workspace: Workspace;
  readonly #services: readonly string[];

  constructor(workspace: Workspace, services: readonly string[] = ['postgres', 'redis', 'rabbitmq', 'minio']) {
    this.#workspace = workspace;
    this.#services = services;
  }

  /** The bucket of the environment. */
  get bucket(): string {
    return `veza-${this.#workspace.environment}`;
  }

  /** The credentials of the application for S3. */
  keys(secrets: Secrets): { accessKey: string; secretKey: string } {
    return { accessKey: of(secrets, 'MINIO_ACCESS_KEY'), secretKey: of(secrets, 'MINIO_SECRET_KEY') };
  }

  /** IPv4 address of a container, as Incus tells it. */
  async address(project: string): Promise<string> {
    type State = { network: Record<string, { addresses: { family: string; scope: string; address: string }[] }> };
    const { network } = await this.#workspace.api<State>(`instances/${this.#workspace.instance(project)}/state`);
    const found = network.eth0?.addresses.find(({ family, scope }) => family === 'inet' && scope === 'global');
    if (found === undefined) throw new Error(`${project} has no address`);
    return found.address;
  }

  /** Writes a word into every service. @throws when one does not let us in */
  write(secrets: Secrets, word: string): Promise<Record<string, string>> {
    return this.#all({
      postgres: async (host) => {
        const text = `create table if not exists kept (word text); insert into kept values ('${word}')`;
        await sql(host, of(secrets, 'POSTGRES_PASSWORD'), text);
        return word;
      },
      redis: (host) => redis(host, of(secrets, 'REDIS_PASSWORD'), ['SET', 'kept', word]).then(() => word),
      rabbitmq: (host) => amqp(host, of(secrets, 'RABBITMQ_PASSWORD'), 'kept', word).then(() => word),
      minio: (host) => s3(host, this.keys(secrets), 'PUT', `/${this.bucket}/kept`, word).then(() => word),
    });
  }

  /** Reads back what was written, by service. @throws when one does not let us in */
  read(secrets: Secrets): Promise<Record<string, string>> {
    return this.#all({
      postgres: async (host) => {
        const [row] = (await sql(host, of(secrets, 'POSTGRES_PASSWORD'), 'select word from kept')) as { word: string }[];
        return row?.word ?? 'nothing';
      },
      redis: async (host) => /\$\d+\r\n(.*)\r\n/.exec(await redis(host, of(secrets, 'REDIS_PASSWORD'), ['GET', 'kept']))?.[1] ?? 'nothing',
      rabbitmq: async (host) => {
        const word = await amqp(host, of(secrets, 'RABBITMQ_PASSWORD'), 'kept');
        if (word !== undefined) await amqp(host, of(secrets, 'RABBITMQ_PASSWORD'), 'kept', word);
        return word ?? 'nothing';
      },
      minio: (host) => s3(host, this.keys(secrets), 'GET', `/${this.bucket}/kept`),
    });
  }

  /** How each service answers to these secrets: `let in`, or its own words. */
  attempt(secrets: Secrets): Promise<Record<string, string>> {
    const said = (work: Promise<unknown>) =>
      work.then(
        () => 'let in',
        (error: Error) => error.message,
      );
    return this.#all({
      postgres: (host) => said(sql(host, of(secrets, 'POSTGRES_PASSWORD'), 'select 1')),
      redis: (host) => said(redis(host, of(secrets, 'REDIS_PASSWORD'), ['PING'])),
      rabbitmq: (host) => said(amqp(host, of(secrets, 'RABBITMQ_PASSWORD'), 'attempt', 'a word')),
      minio: (host) => said(s3(host, this.keys(secrets), 'PUT', `/${this.bucket}/attempt`, 'a word')),
    });
  }

  async #all(calls: Readonly<Record<string, (host: string) => Promise<string>>>): Promise<Record<string, string>> {
    const answers = this.#services.map(async (service) => {
      const call = calls[service];
      if (call === undefined) throw new Error(`the application has no client for ${service}`);
      return [service, await call(await this.address(service))] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  }
}
