import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { reveal, Secret } from '../../engine/secret.ts';
import type { Desired } from '../../engine/service.ts';
import { inside, outside, resources } from './health.ts';
import { type RabbitmqSettings, settings } from './settings.ts';

const transcript: { confirmed: string; refused: string; blocked: string; look: string } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'transcripts/3.10.8.json'), 'utf8'),
);
const desired: Desired<RabbitmqSettings> = {
  settings: settings.parse({ password: new Secret('hunter2') }) as RabbitmqSettings,
  context: { environment: 'local', instance: 'veza-local-rabbitmq', clientNetworks: [], artifacts: {} },
};

const fact = inside(desired);
const said = (stdout: string, code = 0, stderr = '') => fact.parse({ command: fact.command, code, stdout, stderr });
const well = { version: '3.10.8', detail: 'publish and confirm on /veza' };

/** What the probe prints when the node says this of itself, beside what a healthy one says. */
function look(node: object, { hex = transcript.confirmed, df = ' 17%    3%' } = {}): string {
  const healthy = {
    alarms: [],
    drained: false,
    memory: { used: 100e6, limit: 400e6 },
    disk: { free: 30e9, limit: 50e6 },
    queues: null,
    read: '.*',
  };
  return [hex, df, Buffer.from(JSON.stringify({ ...healthy, ...node })).toString('base64')].join('\n');
}

describe('from inside', () => {
  it.each(['3.10.8', '4.0.5'])('is well when RabbitMQ %s confirms a message and has room', (version) => {
    const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'transcripts', `${version}.json`), 'utf8'));
    expect(said(recorded.look)).toEqual({ ...well, version });
  });

  it('has the password on stdin only', () => {
    expect(JSON.stringify(fact.command)).not.toMatch(/hunter2|68756e74657232/);
  });

  it('asks for frames of the size that the settings allow', () => {
    const sent = (parameters: Record<string, string>) =>
      reveal(inside({ ...desired, settings: { ...desired.settings, parameters } }).command.stdin ?? '');
    const tuneOk = (size: string) => `000a001f0001${size}0000`;
    expect(sent({})).toContain(tuneOk('00002000'));
    expect(sent({ frame_max: '4096' })).toContain(tuneOk('00001000'));
    expect(sent({ frame_max: 'many' })).toContain(tuneOk('00002000'));
  });

  it('tells what the server refused, or that nothing listens', () => {
    expect(() => said(look({}, { hex: transcript.refused }))).toThrow('403 ACCESS_REFUSED');
    expect(() => said('\n\n', 1, 'port 5672: Connection refused')).toThrow('does not answer on port 5672');
    expect(() => said(look({ drained: true }, { hex: '' }))).toThrow('in maintenance mode');
  });

  it.each([
    ['an alarm that blocks publishers', look({}, { hex: transcript.blocked }), 'blocks all publishers: low on memory'],
    ['an alarm that came just now', look({ alarms: ['disk', 'memory'] }), 'blocks all publishers: low on disk and memory'],
    ['a user who may read nothing', look({ read: '^$' }), 'lets veza read from no queue of /veza'],
    ['a vhost that may have no queue', look({ queues: 0 }), 'lets nobody declare a queue on /veza: its limit is 0 queues'],
    ['a user without permissions', look({ read: null }), 'lets veza read from no queue of /veza'],
  ])('is not well with %s', (_, stdout, message) => {
    expect(() => said(stdout)).toThrow(message);
  });

  it.each([
    ['memory is nearly used up', look({ memory: { used: 341e6, limit: 400e6 } }), '341 MB of 400 MB of memory are used'],
    ['the disk is nearly at its limit', look({ disk: { free: 99e6, limit: 50e6 } }), '99 MB of disk are free: below 50 MB it blocks'],
    ['the disk is nearly full', look({}, { df: ' 85%    3%' }), 'is 85 % full'],
    ['file descriptors have run out', look({ alarms: ['file_descriptor_limit'] }), 'no file descriptors are left'],
    ['the vhost may have no more queues', look({ queues: 5 }), '/veza has the 5 queues that its limit allows'],
    ['the node tells nothing of itself', `${transcript.confirmed}\n 17%    3%\n`, 'its memory and disk are not known'],
  ])('is degraded when %s', (_, stdout, reason) => {
    expect(said(stdout)).toEqual({ ...well, degraded: [expect.stringContaining(reason)] });
  });

  it('takes what the node cannot tell for no shortage', () => {
    expect(said(look({ memory: { used: 1, limit: 'infinity' }, disk: { free: 'NaN', limit: 50e6 } }))).toEqual(well);
  });
});

describe('memory and disk for the plan', () => {
  const about = resources(desired);
  const answered = (stdout: string, code = 0) => about.parse({ command: about.command, code, stdout, stderr: '' });

  it('are asked in the words of the probe, so that it costs nothing', () => {
    expect(about.command.argv).toEqual(fact.command.argv);
    expect(reveal(about.command.stdin ?? '')).toBe(reveal(fact.command.stdin ?? ''));
    expect(about.command.timeoutMs).toBe(fact.command.timeoutMs);
  });

  it('are what the node says, also when it blocks all publishers', () => {
    expect(answered(look({ alarms: ['memory'] }, { hex: transcript.blocked }))).toMatchObject({ memory: { used: 100e6, limit: 400e6 } });
  });

  it.each([
    ['does not run', '\n 17%    3%\n', 1],
    ['says nothing', '\n 17%    3%\n', 0],
    ['fails to answer', `\n\n${Buffer.from('{"failed": ["error", "undef"]}').toString('base64')}`, 0],
  ])('are not known of a node that %s', (_, stdout, code) => {
    expect(answered(stdout, code)).toBeNull();
  });
});

it('is well from outside when a message is confirmed, in however many parts the answer comes', async () => {
  const bytes = Buffer.from(transcript.confirmed, 'hex');
  const socket = server([bytes.subarray(0, 3), bytes.subarray(3, 400), bytes.subarray(400)]);
  await expect(outside(desired, async () => socket)).resolves.toEqual(well);
  expect(socket.destroyed).toBe(true);
});

it('takes its leave from outside, and a server that is gone by then has confirmed all the same', async () => {
  const socket = server([Buffer.from(transcript.confirmed, 'hex').subarray(0, -12), null]);
  await expect(outside(desired, async () => socket)).resolves.toEqual(well);
});

it.each([
  ['a refusal', [Buffer.from(transcript.refused, 'hex')], '403 ACCESS_REFUSED'],
  ['an alarm', [Buffer.from(transcript.blocked, 'hex')], 'blocks all publishers: low on memory'],
  ['a closed connection', [Buffer.from(transcript.confirmed, 'hex').subarray(0, 100), null], 'the connection was closed'],
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
