// biome-ignore-all lint/style/noExcessiveLinesPerFile: its tests share one deployed environment, and a second file would deploy another
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redis } from './clients.ts';
import { makeWorkspace, SECRETS } from './make-workspace.ts';
import type { Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-redis-back';
const PASSWORD = `redis-password-of-${ENVIRONMENT}`;

/** How much longer a failed deploy that is taken back may keep a client waiting than a plain restart does. */
const MOST_RESTARTS = 15;

let workspace: Workspace;
let address: string;

beforeAll(async () => {
  workspace = await makeWorkspace({
    environment: ENVIRONMENT,
    containers: ['redis'],
    secrets: Object.fromEntries(SECRETS.map((name) => [name, name === 'REDIS_PASSWORD' ? PASSWORD : `${name}-of-${ENVIRONMENT}`])),
  });
});
afterAll(() => workspace.remove());

/** A client that writes numbers one after the other without pause, and goes on after every failure. */
class Writer {
  #ended = false;
  /** Writes that were not acknowledged, or not in time; in milliseconds since the start. */
  readonly failures: string[] = [];
  /** The last number that Redis has acknowledged. */
  acknowledged = 0;
  /** The longest time between two acknowledgements, in milliseconds. */
  longestOutage = 0;
  #last = performance.now();
  readonly #host: string;
  readonly #done: Promise<void>;

  constructor(host: string) {
    this.#host = host;
    this.#done = this.#write();
  }

  async #write(): Promise<void> {
    let number = 0;
    while (!this.#ended) {
      number += 1;
      try {
        await this.#session(number);
      } catch (error) {
        this.failures.push(String(error));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      number = this.acknowledged;
    }
  }

  /** Writes over one connection until it breaks, or the client is told to end. */
  async #session(from: number): Promise<void> {
    const socket = connect(6379, this.#host).setTimeout(20_000, () => socket.destroy(new Error('no answer for 20 s')));
    try {
      await once(socket, 'connect');
      const answers: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
      await said(socket, answers, `AUTH ${PASSWORD}\r\n`, '+OK');
      for (let number = from; !this.#ended; number += 1) {
        await said(socket, answers, `RPUSH written ${number}\r\n`, ':');
        this.acknowledged = number;
        this.longestOutage = Math.max(this.longestOutage, performance.now() - this.#last);
        this.#last = performance.now();
      }
    } finally {
      socket.destroy();
    }
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#done;
  }
}

/** Says something and reads the answer, which is one packet. */
async function said(socket: Socket, answers: AsyncIterator<Buffer>, text: string, start: string): Promise<void> {
  socket.write(text);
  const { value, done } = await answers.next();
  const answer = done ? 'closed' : String(value);
  if (!answer.startsWith(start)) throw new Error(answer.trim());
}

/** The settings of redis, less what a test set before. */
function settings(over: Record<string, unknown>): Promise<void> {
  return workspace.edit('infra/redis/container.json', (content) => {
    content.settings = { password: { secret: 'REDIS_PASSWORD' }, maxmemory: '256mb', maxmemoryPolicy: 'noeviction', ...over };
  });
}

const configure = (...flags: readonly string[]) => workspace.run('redis', 'configure', '--allow-dirty', ...flags);
const processId = () => workspace.guest('redis', 'systemctl show --property=MainPID --value redis-server');
const confFile = () => workspace.guest('redis', 'stat -c "%a %U %G" /etc/redis/redis.conf; cat /etc/redis/redis.conf');

/** Every number that was acknowledged is there: none is lost. One that was written and not acknowledged may be there twice. */
async function expectNothingLost(writer: Writer): Promise<void> {
  // Not over our client: it closes its half of the connection at once, and Redis then ends long answers early.
  const answer = await workspace.guest('redis', `printf 'AUTH ${PASSWORD}\\nLRANGE written 0 -1\\n' | redis-cli`);
  const there = new Set(answer.split('\n').map(Number));
  const lost = Array.from({ length: writer.acknowledged }, (_, i) => i + 1).filter((number) => !there.has(number));
  expect(lost).toEqual([]);
  expect(writer.acknowledged).toBeGreaterThan(100);
}

it('values in any words, directives and sockets converge: a second run has nothing to do', async () => {
  await settings({
    parameters: {
      'repl-backlog-size': '64mb',
      'notify-keyspace-events': 'KEA',
      'client-output-buffer-limit': 'normal 64mb 0 0',
      save: ['900 1', '300 10'],
      appendfsync: 'EverySec',
      'maxmemory-clients': '5%',
      unixsocket: '/run/redis/redis.sock',
      unixsocketperm: '0770',
      'rename-command': ['FLUSHALL ""', 'KEYS ""'],
    },
  });
  const first = await configure();
  expect(first.code, first.output).toBe(0);
  expect(first.output.match(/restart unit redis-server/g)).toHaveLength(1);
  const second = await configure();
  expect(second.code, second.output).toBe(0);
  expect(second.output).toContain('0 changes; 3 round trips');
  const state = await workspace.api<{ network: { eth0: { addresses: { family: string; address: string; scope: string }[] } } }>(
    `instances/${workspace.instance('redis')}/state`,
  );
  address = state.network.eth0.addresses.find(({ family, scope }) => family === 'inet' && scope === 'global')?.address ?? '';
  await expect(redis(address, PASSWORD, ['FLUSHALL'])).rejects.toThrow("unknown command 'FLUSHALL'");
  expect(await workspace.guest('redis', 'stat -c %a /run/redis/redis.sock')).toBe('770\n');
});

it('what Redis refuses is told before anything is touched: no write fails, and the process is the same', async () => {
  const [before, file] = [await processId(), await confFile()];
  const writer = new Writer(address);
  for (const [over, words] of [
    [{ parameters: { appendfsync: 'sometimes' } }, "'appendfsync sometimes'"],
    [{ parameters: { user: 'app on +nosuchcommand' } }, 'Unknown command or category name in ACL'],
  ] as const) {
    await settings(over);
    const { code, output } = await configure();
    expect(code, output).toBe(1);
    expect(output).toContain('redis does not take these settings, and none of them was written');
    expect(output).toContain(words);
  }
  await writer.stop();
  expect(writer.failures).toEqual([]);
  expect([await processId(), await confFile()]).toEqual([before, file]);
  await expectNothingLost(writer);
});

it('a port that another program has is refused by the plan, which names the program', async () => {
  await workspace.guest(
    'redis',
    `systemd-run --quiet --unit=taken perl -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(7000, INADDR_LOOPBACK)) or die; listen(S, 5); sleep'`,
  );
  await settings({ port: 7000 });
  const { code, output } = await workspace.run('redis', 'plan');
  expect(code, output).toBe(1);
  expect(output).toMatch(/port 7000 of the container is taken: perl \(process \d+ of taken\.service\) listens on 127\.0\.0\.1:7000/);
});

it('what only the real start refuses is taken back, and nothing that was acknowledged is lost', async () => {
  const file = await confFile();
  const restarted = new Writer(address);
  while (restarted.acknowledged === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await workspace.guest('redis', 'systemctl restart redis-server; until redis-cli PING | grep -q NOAUTH; do sleep 0.05; done; sleep 0.5');
  await restarted.stop();
  // Of the unit the trial knows nothing.
  await workspace.guest(
    'redis',
    `mkdir -p /etc/systemd/system/redis-server.service.d
printf '[Service]\\nExecStartPre=+/bin/sh -c "! grep ^databases /etc/redis/redis.conf"\\n' > /etc/systemd/system/redis-server.service.d/refuse.conf
systemctl daemon-reload`,
  );
  const writer = new Writer(address);
  await settings({ parameters: { databases: '32' } });
  const { code, output } = await configure();
  const acknowledged = writer.acknowledged;
  expect(code, output).toBe(1);
  expect(output).toContain('the former configuration runs again');
  // The product's own words first, and systemd's last.
  expect(output).toMatch(
    /stderr: +databases 32\n +redis-server: did not restart \(Control process exited, code=exited, status=1\/FAILURE\)\n/,
  );
  expect(await confFile()).toBe(file);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await writer.stop();
  expect(writer.acknowledged).toBeGreaterThan(acknowledged);
  // It is down for a start that fails, what tells of it, and one that does not fail.
  expect(writer.longestOutage / restarted.longestOutage).toBeLessThan(MOST_RESTARTS);
  await expectNothingLost(writer);

  await workspace.guest('redis', 'rm /etc/systemd/system/redis-server.service.d/refuse.conf; systemctl daemon-reload');
  const fixed = await configure();
  expect(fixed.code, fixed.output).toBe(0);
  expect(await redis(address, PASSWORD, ['CONFIG', 'GET', 'databases'])).toContain('32');
});

it('a limit that lets nobody write is refused beforehand, and taken back where nothing is tried', async () => {
  const before = await processId();
  await redis(address, PASSWORD, ['SET', 'large', 'x'.repeat(3_000_000)]);
  await settings({ maxmemory: '2mb', parameters: { databases: '32' } });
  const refused = await configure();
  expect(refused.code, refused.output).toBe(1);
  expect(refused.output).toMatch(/redis uses \d+ bytes of memory and would take no writes: maxmemory 2mb/);
  expect(refused.output).not.toContain('the former configuration runs again');

  const { code, output } = await configure('--skip-trial');
  expect(code, output).toBe(1);
  expect(output).toContain("redis takes no writes: OOM command not allowed when used memory > 'maxmemory'.");
  expect(output).toContain('the former configuration runs again');
  expect(await redis(address, PASSWORD, ['CONFIG', 'GET', 'maxmemory'], ['SET', 'small', 'x'])).toMatch(/268435456[\s\S]*\+OK/);
  expect(await processId()).toBe(before);

  await settings({ parameters: { databases: '32' } });
  const fixed = await configure();
  expect(fixed.code, fixed.output).toBe(0);
  expect(fixed.output).toContain('redis: configure: no changes');
});

it('a limit that is smaller than the clients that are connected is refused, and none of them feels it', async () => {
  const before = await processId();
  const writers = [new Writer(address), new Writer(address)];
  while (writers.some(({ acknowledged }) => acknowledged === 0)) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const [maxclients, words] of [
    [1, 'settings.parameters.maxclients: found 1 (number); expected 3 or more'],
    [3, 'redis has 2 clients connected, and nx-mooring needs 2 connections: maxclients 3 is too small'],
  ] as const) {
    await settings({ parameters: { databases: '32', maxclients } });
    const { code, output } = await configure();
    expect(code, output).toBe(1);
    expect(output).toContain(words);
  }
  for (const writer of writers) await writer.stop();
  expect(writers.flatMap(({ failures }) => failures)).toEqual([]);
  expect(await processId()).toBe(before);
});

it('a password that was set live is set back when the file cannot be written: clients with the former one feel nothing', async () => {
  // A file system of one page, which the present file takes.
  await workspace.guest(
    'redis',
    'cp -a /etc/redis /root/conf; mount -t tmpfs -o nr_blocks=1,mode=2770 tmpfs /etc/redis; chown redis:redis /etc/redis; cp -a /root/conf/redis.conf /etc/redis/',
  );
  await workspace.edit('infra/redis/container.json', (content) => {
    content.settings = { password: { secret: 'POSTGRES_PASSWORD' }, maxmemoryPolicy: 'noeviction', parameters: { databases: '32' } };
  });
  const file = await confFile();
  const writer = new Writer(address);
  while (writer.acknowledged === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const { code, output } = await configure();
  await workspace.guest('redis', 'umount /etc/redis; rm -r /root/conf');
  await writer.stop();
  expect(code, output).toBe(1);
  expect(output).toContain('No space left on device');
  expect(output).toContain('taking back: update running server');
  expect(output).toContain('the former configuration runs again');
  expect(writer.failures).toEqual([]);
  expect(await confFile()).toBe(file);
  expect(await redis(address, PASSWORD, ['PING'])).toContain('PONG');
  await expect(redis(address, `POSTGRES_PASSWORD-of-${ENVIRONMENT}`, ['PING'])).rejects.toThrow('WRONGPASS');
  await expectNothingLost(writer);
});

it('a full one is repaired by more memory, which is not taken back', async () => {
  await workspace.guest(
    'redis',
    `sed -i 's/^maxmemory .*/maxmemory 2097152/' /etc/redis/redis.conf; printf 'AUTH ${PASSWORD}\\nCONFIG SET maxmemory 2mb\\n' | redis-cli`,
  );
  await expect(redis(address, PASSWORD, ['SET', 'small', 'x'])).rejects.toThrow('OOM');
  await settings({ maxmemory: '512MB', parameters: { databases: 32 } });
  const { code, output } = await configure();
  expect(code, output).toBe(0);
  expect(output).not.toContain('taking back');
  expect(await redis(address, PASSWORD, ['CONFIG', 'GET', 'maxmemory'], ['SET', 'small', 'x'])).toMatch(/536870912[\s\S]*\+OK/);
});
