import { connect as connectAmqp } from 'amqplib';
import { redis, s3, sql } from '../e2e/clients.ts';
import type { Workspace } from '../e2e/workspace.ts';
import { DistantApplication, secrets } from './environment.ts';

/** Words that were written, by service, sorted. */
export type Words = Readonly<Record<'rows' | 'keys' | 'messages' | 'objects', readonly string[]>>;

const QUEUE = 'words';
const password = (name: string): string => secrets[name] ?? '';

/** Writes words as the application does, each as a row, a key, a message and an object; and reads all of them. */
export class Data {
  readonly #application: DistantApplication;

  constructor(workspace: Workspace) {
    this.#application = new DistantApplication(workspace);
  }

  /** @throws when a service does not let us in, or does not confirm */
  async write(word: string): Promise<void> {
    const [postgres, cache, rabbitmq, minio] = await this.#addresses();
    await Promise.all([
      sql(postgres, password('POSTGRES_PASSWORD'), `create table if not exists words (word text); insert into words values ('${word}')`),
      redis(cache, password('REDIS_PASSWORD'), ['SET', `word:${word}`, '1']),
      this.#channel(rabbitmq, async (channel) => {
        channel.sendToQueue(QUEUE, Buffer.from(word), { persistent: true });
        await channel.waitForConfirms();
      }),
      s3(minio, this.#application.keys(secrets), 'PUT', `/${this.#application.bucket}/word-${word}`, word),
    ]);
  }

  /** Takes nothing away: messages go back to their queue. */
  async all(): Promise<Words> {
    const [postgres, cache, rabbitmq, minio] = await this.#addresses();
    const [rows, keys, messages, objects] = await Promise.all([
      sql(postgres, password('POSTGRES_PASSWORD'), 'select word from words') as Promise<{ word: string }[]>,
      redis(cache, password('REDIS_PASSWORD'), ['KEYS', 'word:*']),
      this.#channel(rabbitmq, async (channel) => {
        const found: string[] = [];
        for (let message = await channel.get(QUEUE); message !== false; message = await channel.get(QUEUE))
          found.push(message.content.toString());
        return found;
      }),
      s3(minio, this.#application.keys(secrets), 'GET', `/${this.#application.bucket}?list-type=2&prefix=word-`),
    ]);
    const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, word]) => word as string);
    return {
      rows: rows.map(({ word }) => word).sort(),
      keys: matches(keys, /^word:(.+?)\r?$/gm).sort(),
      messages: messages.sort(),
      objects: matches(objects, /<Key>word-([^<]+)<\/Key>/g).sort(),
    };
  }

  #addresses(): Promise<[string, string, string, string]> {
    const address = (project: string) => this.#application.address(project);
    return Promise.all([address('postgres'), address('redis'), address('rabbitmq'), address('minio')]);
  }

  /** A channel with confirms to the queue; messages that were got and not acknowledged go back when it closes. */
  async #channel<T>(host: string, work: (channel: Awaited<ReturnType<Connection['createConfirmChannel']>>) => Promise<T>): Promise<T> {
    const connection = await connectAmqp({ hostname: host, username: 'veza', password: password('RABBITMQ_PASSWORD'), vhost: '/veza' });
    try {
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue(QUEUE, { durable: true });
      return await work(channel);
    } finally {
      await connection.close();
    }
  }
}

type Connection = Awaited<ReturnType<typeof connectAmqp>>;

/** The same words in every service. */
export function everywhere(...words: readonly string[]): Words {
  const sorted = [...words].sort();
  return { rows: sorted, keys: sorted, messages: sorted, objects: sorted };
}
