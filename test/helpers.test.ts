import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redis, topReplies } from './e2e/clients.ts';
import { jsonIn } from './e2e/output.ts';
import { MAIN_PROCESSES } from './e2e/outside.ts';
import { ended, STRICT, wholeAnswer } from './e2e/workspace.ts';

/** A helper that could not look must not look like one that saw nothing. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mooring-helpers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script with a `systemctl` that is a script itself. */
function withSystemctl(script: string, systemctl: string) {
  writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\n${systemctl}\n`);
  chmodSync(join(folder, 'systemctl'), 0o755);
  const [command, ...args] = STRICT;
  return ended(command, [...args, script], '/', { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` });
}

const LIST = 'printf "redis-server.service loaded active running Redis\\nsystemd-journald.service loaded active running Journal\\n"';
const SHOW = 'printf "MainPID=42\\nExecMainStartTimestampMonotonic=7\\n"';

describe('what is seen from outside', () => {
  it.each([
    [
      'a line for each service unit, without those of systemd',
      `case $1 in list-units) ${LIST} ;; show) ${SHOW} ;; esac`,
      0,
      'redis-server.service ExecMainStartTimestampMonotonic=7 MainPID=42 \n',
    ],
    ['nothing, where no unit runs', 'exit 0', 0, ''],
    [
      'an error, where the units cannot be listed',
      'echo "Failed to list units: Connection reset by peer" >&2; exit 1',
      1,
      'Failed to list units: Connection reset by peer\n',
    ],
    ['an error, where one unit cannot be asked', `case $1 in list-units) ${LIST} ;; show) exit 4 ;; esac`, 4, ''],
  ])('%s', async (_, systemctl, code, output) => {
    expect(await withSystemctl(MAIN_PROCESSES, systemctl)).toEqual({ code, output });
  });
});

describe('a command in an instance', () => {
  /** An Incus that loses its answers so often, and one that cuts them. */
  const exec = (lost: number, cut = 0) => {
    let asked = 0;
    return async (script: string) => {
      const [command = '', ...args] = STRICT;
      const { code, output } = await ended(command, [...args, script], '/');
      if (code !== 0) throw new Error(output);
      return asked++ < lost ? '' : output.slice(0, output.length - cut);
    };
  };

  it('an empty answer is one; what Incus lost is asked for again', async () => {
    expect(await wholeAnswer('c', 'true', exec(0))).toBe('');
    expect(await wholeAnswer('c', 'echo a', exec(2))).toBe('a\n');
  });

  it('what stays lost, what is cut and what fails is an error', async () => {
    await expect(wholeAnswer('c', 'true', exec(3))).rejects.toThrow('c: incus exec ended well and gave no whole answer');
    await expect(wholeAnswer('c', 'echo a', exec(0, 1))).rejects.toThrow('gave no whole answer: a');
    await expect(wholeAnswer('c', 'echo a; false', exec(0))).rejects.toThrow('a');
  });
});

describe('the client of Redis', () => {
  it.each([
    ['+OK\r\n$5\r\nafter\r\n+OK\r\n', ['+OK', '$5', '+OK']],
    ['+OK\r\n$-1\r\n:3\r\n', ['+OK', '$-1', ':3']],
    ['*2\r\n$6\r\n-OOM\r\n\r\n*1\r\n:1\r\n-OOM command not allowed\r\n', ['*2', '-OOM command not allowed']],
    ['$4\r\nü-\r\n\r\n+OK', ['$4']],
    ['+OK\r\n$5\r\naf', ['+OK']],
    ['*2\r\n:1\r\n', []],
    ['', []],
  ])('reads %j as %j', (text, replies) => expect(topReplies(text)).toEqual(replies));

  it.each([
    ['an error after it was let in', '+OK\r\n-OOM command not allowed\r\n+OK\r\n', 'OOM command not allowed'],
    ['a connection that ends too early', '+OK\r\n', '+OK'],
    ['a connection that ends at once', '', 'no answer'],
  ])('fails for %s', async (_, answer, says) => {
    const server = createServer((socket) => socket.resume().end(answer));
    // Two runs of the tests on one machine each have an address of their own.
    const address = `127.77.${(process.pid >> 8) & 255}.${process.pid & 255}`;
    await new Promise<void>((resolve) => server.listen(6379, address, resolve));
    try {
      await expect(redis(address, 'word', ['SET', 'a', 'b'])).rejects.toThrow(says);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

it('an output without JSON is told as it is', () => {
  expect(jsonIn('told\n{\n  "a": 1\n}\n')).toEqual({ a: 1 });
  expect(() => jsonIn('nx failed')).toThrow('no JSON was printed: nx failed');
});
