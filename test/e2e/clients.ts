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

/** Redis commands after AUTH, one raw answer each. */
export async function redis(host: string, password: string, ...commands: readonly (readonly string[])[]): Promise<string> {
  const socket = connect(6379, host);
  await once(socket, 'connect');
  const encode = (words: readonly string[]) =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  socket.end([['AUTH', password], ...commands, ['QUIT']].map(encode).join(''));
  let answer = '';
  for await (const part of socket.setEncoding('utf8')) answer += part;
  if (!answer.startsWith('+OK')) throw new Error(answer);
  return answer;
}

/** Sends a message to a durable queue, and takes one back when `text` is left out. */
export async function amqp(host: string, password: string, queue: string, text?: string): Promise<string | undefined> {
  const connection = await connectAmqp({ hostname: host, username: 'veza', password, vhost: '/veza' });
  try {
    const channel = await connection.createConfirmChannel();
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
      response.on('end', () =>
        (response.statusCode ?? 500) < 300 ? resolve(answer) : reject(new Error(`${response.statusCode} ${answer}`)),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
