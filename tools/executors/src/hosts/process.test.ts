import { delimiter } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { read } from '../engine/command.ts';
import { limitedArgv, minimalEnvironment, runTool } from './process.ts';

beforeEach(() => vi.stubEnv('MOORING_LOCAL_PASSWORD', 'hunter2'));
afterEach(() => vi.unstubAllEnvs());

test('the environment of our processes has nothing of ours, and no program of node_modules', async () => {
  vi.stubEnv('PATH', ['/w/node_modules/.bin', 'relative', '/opt/bin', '/usr/bin'].join(delimiter));
  const environment = minimalEnvironment();
  expect(Object.keys(environment)).toEqual(['PATH', 'HOME', 'LANG']);
  expect(environment.PATH).toBe('/opt/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin');
  const { stdout } = await runTool(['env'], { variables: { EXTRA: '1' } });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .sort(),
  ).toEqual(['EXTRA', 'HOME', 'LANG', 'PATH']);
});

test('a tool answers with its code, or is said to be missing', async () => {
  expect(await runTool(['sh', '-c', 'echo a; echo b >&2; exit 3'])).toEqual({ code: 3, stdout: 'a\n', stderr: 'b\n' });
  await expect(runTool(['mooring-no-such-tool'])).rejects.toMatchObject({
    message: 'mooring-no-such-tool is not installed on this machine',
    detail: { next: expect.stringContaining('apt-get install') },
  });
});

test('a limit is given to timeout(1)', () => {
  expect(limitedArgv(read(['a', 'b'], { timeoutMs: 1500 }))).toEqual(['timeout', '-k', '5', '1.5', 'a', 'b']);
  expect(limitedArgv(read(['a', 'b']))).toEqual(['a', 'b']);
});
