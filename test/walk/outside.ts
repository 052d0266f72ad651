import { Duplex } from 'node:stream';
import inSettings from '../../tools/executors/src/services/redis/cases/config-no-op.json' with { type: 'json' };
import installed from '../../tools/executors/src/services/redis/cases/packages-no-op.json' with { type: 'json' };
import { goBy, modelTime } from '../model/time.ts';
import type { Answer } from '../model/world/answer.ts';
import { ok } from '../model/world/answer.ts';
import { runOnHost } from '../model/world/shell.ts';
import { World } from '../model/world/world.ts';

/*
 * What stands behind `hosts/local.ts` in the walk: the model's host, and in its container a Redis that says what the real one has said
 * in the cases of its planners.
 */

/** The value in the cases. */
const OF_CASES = '268435456';
export const PASSWORD = 'value-of-REDIS_PASSWORD';

/** What the server has, and what its file says. */
export const server = { maxmemory: '1048576', file: '1048576' };

const world = new World({ projects: ['default'], pools: [{ name: 'zpool', driver: 'zfs', dataset: 'tank/incus' }] });
modelTime();
goBy(world);

const INFO = ['OK', 'PONG', '0', '# Server', 'redis_version:7.0.15'].join('\r\n');

function say({ stdout = [], code = 0 }: { stdout?: readonly string[]; code?: number }, maxmemory = server.maxmemory): Answer {
  return { ...ok(stdout.map((line) => `${line.replaceAll(OF_CASES, maxmemory)}\n`).join('')), code };
}

const wordAfter = (before: RegExp, text: string) => new RegExp(`${before.source} "?(\\d+)`).exec(text)?.[1] ?? '';

/** What is done in the container, by words that its command has. */
const ANSWERS: readonly [words: RegExp, answer: (stdin: string) => Answer][] = [
  [/dpkg-query/, () => say(installed.answers.installed)],
  [/stat -c .*exec cat/, () => say(inSettings.answers.file, server.file)],
  [/systemctl show/, () => say(inSettings.answers.unit)],
  [/nx-mooring:settings/, () => say(inSettings.answers.live)],
  [/systemd-run/, (stdin) => trial(wordAfter(/maxmemory/, stdin))],
  [/redis-cli -p "\$1" \|\| true/, () => ok(`${INFO}\n`)],
  [/systemctl list-units/, () => ok('redis-server.service loaded active running\n')],
  [/aof_pending_bio_fsync|aof_rewrite_in_progress/, () => ok()],
  [/^\S+ -euc reply=/, (stdin) => done(() => (server.maxmemory = wordAfter(/CONFIG SET maxmemory/, stdin)))],
  [/sh \/etc\/redis\/redis.conf 640/, (stdin) => done(() => (server.file = wordAfter(/maxmemory/, stdin)))],
];

/** It spells the value as it is. */
function trial(wanted: string): Answer {
  return wanted === server.file ? say(inSettings.answers.trial) : ok(`nx-mooring:values\nmaxmemory\n${wanted}\n`);
}

function done(work: () => void): Answer {
  work();
  return ok();
}

const watch = {
  before: (argv: readonly string[], stdin = '') => ANSWERS.find(([words]) => words.test(argv.join(' ')))?.[1](stdin),
  after: () => {},
};

/** In the place of execa. */
export function execa(program: string, args: readonly string[], { input }: { input?: string } = {}) {
  const { code, stdout, stderr } = runOnHost(world, [program, ...args], input, watch);
  const stream = (text: string) => ({ on: (_: string, heard: (chunk: Buffer) => void) => heard(Buffer.from(text)) });
  const end = { exitCode: code, signal: undefined, code: undefined };
  return Object.assign(Promise.resolve(end), { stdout: stream(stdout), stderr: stream(stderr), kill: () => {} });
}

/** In the place of the one in node:net. */
export function connect() {
  const socket = new Duplex({
    read: () => {},
    write(chunk, _, done) {
      if (String(chunk).includes('QUIT')) {
        socket.push(`${INFO}\r\n`);
        socket.push(null);
      }
      done();
    },
  });
  queueMicrotask(() => socket.emit('connect'));
  return Object.assign(socket, { setTimeout: () => {}, setNoDelay: () => {} });
}
