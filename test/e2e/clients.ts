import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { connect as connectAmqp } from 'amqplib';
import aws4 from 'aws4';
import { Client } from 'pg';

/** The clients of an application, none of them ours: each throws when it is not let in. */

/** One query as a role. */
export async function sql(host: string, password: string, text: string): Promise<unknown[]> {
  const client = new Client({ host, user: 'veza', database: 'veza', password, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Redis commands after AUTH; the raw answers. @throws with them, when one is an error or one is missing */
export async function redis(host: string, password: string, ...commands: readonly (readonly string[])[]): Promise<string> {
  const socket = connect(6379, host);
  await once(socket, 'connect');
  const encode = (words: readonly string[]) =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  socket.end([['AUTH', password], ...commands, ['QUIT']].map(encode).join(''));
  let answer = '';
  for await (const part of socket.setEncoding('utf8')) answer += part;
  const replies = topReplies(answer);
  if (replies.length !== commands.length + 2 || replies.some((reply) => reply.startsWith('-'))) throw new Error(answer || 'no answer');
  return answer;
}

/** The first line of each reply in a text of Redis's protocol; what is cut off in the middle is none. */
export function topReplies(text: string): string[] {
  const bytes = Buffer.from(text);
  let at = 0;
  const next = (): string | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const line = bytes.toString('utf8', at, end);
    at = end + 2;
    const length = Number(line.slice(1));
    if (line.startsWith('$') && length >= 0) {
      at += length + 2;
      return at > bytes.length ? undefined : line;
    }
    if (line.startsWith('*')) for (let i = 0; i < length; i++) if (next() === undefined) return undefined;
    return line;
  };
  const replies: string[] = [];
  for (let reply = next(); reply !== undefined; reply = next()) replies.push(reply);
  return replies;
}

/** Sends a message to a durable queue, and takes one back when `text` is left out. */
export async function amqp(host: string, password: string, queue: string, text?: string): Promise<string | undefined> {
  const connection = await connectAmqp({ hostname: host, username: 'veza', password, vhost: '/veza' });
  // A connection that breaks is told by the call that waits for it.
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    await channel.assertQueue(queue, { durable: true });
    if (text === undefined) {
      const message = await channel.get(queue, { noAck: true });
      return message === false ? undefined : message.content.toString();
    }
    channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
    await channel.waitForConfirms();
    return text;
  } finally {
    await connection.close();
  }
}

/** One S3 request; the body of its answer. */
export async function s3(
  host: string,
  keys: { accessKey: string; secretKey: string },
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body = '',
): Promise<string> {
  const options = aws4.sign(
    { host: `${host}:9000`, method, path, body, service: 's3', region: 'us-east-1' },
    { accessKeyId: keys.accessKey, secretAccessKey: keys.secretKey },
  );
  return new Promise((resolve, reject) => {
    const call = request({ host, port: 9000, method, path, headers: options.headers as Record<string, string> }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        answer += part;
      });
      response.on('error', reject);
      response.on('end', () =>
        (response.statusCode ?? 500) < 300 ? resolve(answer) : reject(new Error(`${response.statusCode} ${answer}`)),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
