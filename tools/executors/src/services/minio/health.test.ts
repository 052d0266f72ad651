import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import { inside, outside } from './health.ts';
import { settings } from './settings.ts';

const secret = new Secret('a long secret');
const desired = {
  settings: settings.parse({
    rootUser: new Secret('root-name'),
    rootPassword: secret,
    accessKey: new Secret('veza'),
    secretKey: secret,
    bucket: 'veza-local',
  }),
  context: { environment: 'local', instance: 'veza-local-minio', clientNetworks: [], artifacts: {} },
};
const answer = (status: string, body = '') => `HTTP/1.1 ${status}\r\nServer: MinIO\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const CONTENT = 'nx-mooring: a probe, deleted right after it was read\n';
const healthy = answer('200 OK') + answer('200 OK', CONTENT) + answer('204 No Content');
const denied = answer('403 Forbidden', '<Error><Code>AccessDenied</Code></Error>');

let server: Server | undefined;
afterEach(() => server?.close());

/** Something that takes whatever is sent and gives these bytes. */
async function serve(bytes: string): Promise<() => Promise<ReturnType<typeof connect>>> {
  const listening = createServer((socket) => socket.once('data', () => socket.end(bytes)));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as { port: number };
  return async () => connect(port, '127.0.0.1');
}

const asked = (stdout: string, code = 0, stderr = '') => {
  const fact = inside(desired);
  return () => fact.parse({ command: fact.command, code, stdout, stderr });
};

it('inside: tells the release and what was done', () => {
  expect(asked(`sha256/ab v0.0.0-20260212201848-7aac2a2c5b7c 1 2\n 17%    -\n${healthy}`)()).toEqual({
    version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
    detail: 'S3 put, get and delete in veza-local',
  });
});

it('inside: a disk that will be full soon has to be seen to', () => {
  expect(asked(`a b 1 2\n 91%   3%\n${healthy}`)().degraded).toEqual(['the disk of /var/lib/minio is 91 % full']);
});

it('inside: names the step that failed', () => {
  expect(asked(`a b 1 2\n 17%    -\n${answer('200 OK')}${denied}${denied}`)).toThrow(
    'get of a probe object in bucket veza-local failed: MinIO answers 403 AccessDenied',
  );
  expect(asked('', 1, 'bash: connect: Connection refused')).toThrow('MinIO could not be asked');
  expect(asked(`a b 1 2\n 17%    -\n${answer('200 OK')}${answer('200 OK', 'other')}${answer('204 No Content')}`)).toThrow(
    'read back changed',
  );
});

it('outside: asks over the connection that it is given', async () => {
  expect(await outside(desired, await serve(healthy))).toEqual({ version: 'MinIO', detail: 'S3 put, get and delete in veza-local' });
});

it('outside: is not healthy when refused, or when the connection ends early', async () => {
  await expect(outside(desired, await serve(denied + denied + denied))).rejects.toThrow(
    'put of a probe object in bucket veza-local failed',
  );
  await expect(outside(desired, await serve(answer('200 OK')))).rejects.toThrow('1 answers to 3 requests');
});
