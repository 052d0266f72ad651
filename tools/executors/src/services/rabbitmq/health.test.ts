import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { inside, outside } from './health.ts';
import { type RabbitmqSettings, settings } from './settings.ts';

const transcript: { opened: string; refused: string } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'transcripts/3.10.8.json'), 'utf8'),
);
const desired: Desired<RabbitmqSettings> = {
  settings: settings.parse({ password: new Secret('hunter2') }) as RabbitmqSettings,
  context: { environment: 'local', instance: 'veza-local-rabbitmq', clientNetworks: [], artifacts: {} },
};

it('is well from inside when the vhost opens', () => {
  const fact = inside(desired);
  expect(fact.parse({ command: fact.command, code: 0, stdout: transcript.opened, stderr: '' })).toEqual({
    version: '3.10.8',
    detail: 'AMQP 0-9-1 to /veza',
  });
});

it('tells what the server refused, or that nothing listens', () => {
  const fact = inside(desired);
  expect(() => fact.parse({ command: fact.command, code: 0, stdout: transcript.refused, stderr: '' })).toThrow('403 ACCESS_REFUSED');
  expect(() => fact.parse({ command: fact.command, code: 111, stdout: '', stderr: 'port 5672: Connection refused' })).toThrow(
    'does not answer on port 5672',
  );
});

it('is well from outside when the vhost opens, in however many parts the answer comes', async () => {
  const bytes = Buffer.from(transcript.opened, 'hex');
  const socket = server([bytes.subarray(0, 3), bytes.subarray(3, 400), bytes.subarray(400)]);
  await expect(outside(desired, async () => socket)).resolves.toEqual({ version: '3.10.8', detail: 'AMQP 0-9-1 to /veza' });
  expect(socket.destroyed).toBe(true);
});

it.each([
  ['a refusal', [Buffer.from(transcript.refused, 'hex')], '403 ACCESS_REFUSED'],
  ['a closed connection', [Buffer.from(transcript.opened, 'hex').subarray(0, 100), null], 'the connection was closed'],
  ['another protocol', [Buffer.from('SSH-2.0-x\r\n')], 'does not speak AMQP'],
])('throws from outside on %s', async (_, parts, message) => {
  await expect(outside(desired, async () => server(parts))).rejects.toThrow(message);
});

/** A connection whose other end says these things once it was written to; `null` ends it. */
function server(parts: readonly (Buffer | null)[]): Duplex {
  return new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      for (const part of parts) this.push(part);
      done();
    },
  });
}
