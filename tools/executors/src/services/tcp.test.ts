import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MooringError } from '../engine/errors.ts';
import { Secret, secretText } from '../engine/secret.ts';
import { healthOverTcp } from './tcp.ts';

type Settings = { port: number; password: Secret };
const context = { environment: 'local', instance: 'local-x', clientNetworks: [], artifacts: {} };

/** Answers a conversation that ends with QUIT, in two parts. */
let server: Server;
let settings: Settings;
beforeAll(async () => {
  server = createServer((socket) => {
    let said = '';
    socket.setEncoding('utf8').on('data', (part) => {
      said += part;
      if (!said.endsWith('QUIT\n')) return;
      socket.write(said.startsWith('AUTH right\n') ? 'PONG\nver' : 'NO\n');
      setTimeout(() => socket.end('sion 1.2\n'), 10);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  settings = { port: (server.address() as AddressInfo).port, password: new Secret('right') };
});
afterAll(() => server.close());

const health = healthOverTcp<Settings>({
  name: 'PING',
  port: ({ port }) => port,
  says: ({ password }) => secretText`AUTH ${password}\nPING\nQUIT\n`,
  version: (answer) => {
    const [, version] = /PONG\nversion (\S+)/.exec(answer) ?? [];
    if (version === undefined) throw new MooringError('no PONG');
    return version;
  },
});

it('over the address: the whole answer is read', async () => {
  const socket = async (port: number) => connect(port, '127.0.0.1');
  expect(await health.outside({ settings, context }, socket)).toEqual({ version: '1.2', detail: 'PING' });
  await expect(health.outside({ settings: { ...settings, password: new Secret('wrong') }, context }, socket)).rejects.toThrow('no PONG');
});

it('inside: the same conversation on stdin, so that the password is in no argument', () => {
  const fact = health.inside({ settings, context });
  expect(JSON.stringify(fact.command.argv)).not.toContain('right');
  expect((fact.command.stdin as Secret).reveal()).toBe('AUTH right\nPING\nQUIT\n');
  const result = { command: fact.command, code: 0, stdout: 'PONG\nversion 3\n', stderr: '' };
  expect(fact.parse(result)).toEqual({ version: '3', detail: 'PING' });
  expect(() => fact.parse({ ...result, code: 1, stdout: '', stderr: 'Connection refused' })).toThrow(
    'PING: nothing answers inside of the container',
  );
});
