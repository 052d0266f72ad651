import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { read, script } from '../../tools/executors/src/engine/command.ts';
import { HostError } from '../../tools/executors/src/engine/errors.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { startSshdWithShell, type TestSshd } from './sshd.ts';

describe('a login shell', () => {
  let there: TestSshd | undefined;
  let host: OpenHost | undefined;
  afterEach(async () => {
    await host?.close();
    await there?.stop();
    host = undefined;
  });
  const log = async (shell: string) => {
    there = await startSshdWithShell(shell);
    host = await openHost({ host: 'contract', sshConfig: there.config });
    return host;
  };

  test.each(['bash', 'dash', 'tcsh', 'csh', 'fish'])('%s runs what is asked, with a minimal environment', async (shell) => {
    const opened = await log(shell);
    const words = ["it's", '"$HOME"', 'a!b', 'ä\n\\', '*'];
    const results = await opened.run([
      read(['printf', '%s\\0', ...words]),
      script('read', 'env; exit 3', [], { stdin: 'x' }),
      read(['sh', '-c', 'command -v nologin']),
    ]);
    expect(results[0]?.stdout.split('\0')).toEqual([...words, '']);
    expect(results[1]?.code).toBe(3);
    const names = results[1]?.stdout.split('\n').map((line) => line.split('=')[0]);
    expect(names?.filter((name) => !['', '_', 'PWD', 'OLDPWD'].includes(String(name))).sort()).toEqual(['HOME', 'LANG', 'PATH']);
    expect(results[2]?.stdout).toBe('/usr/sbin/nologin\n');
    expect(await opened.transport.exec(read(['cat'], { stdin: 'as it is' }))).toMatchObject({ code: 0, stdout: 'as it is', stderr: '' });
  });

  test.each([
    ['bash', '.bashrc', 'echo "Welcome to $HOSTNAME"; echo more >&2'],
    ['tcsh', '.cshrc', 'echo Welcome'],
    ['fish', '.config/fish/config.fish', 'echo Welcome'],
  ])('%s may greet: %s may print', async (shell, file, greeting) => {
    const home = mkdtempSync(join(tmpdir(), 'mooring-shell-'));
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), `${greeting}\n`);
    // bash reads .bashrc here because its stdin is a socket, as it is under sshd; BASH_ENV stands in for that.
    const opened = await log(`env HOME=${home} BASH_ENV=${join(home, file)} ${shell}`);
    expect((await opened.run([read(['echo', 'asked'])]))[0]?.stdout).toBe('asked\n');
    expect((await opened.transport.exec(read(['echo', 'asked']))).stdout).toBe('asked\n');
    rmSync(home, { recursive: true });
  });

  test.each([
    ['nologin', 'runs no commands (nologin)', 'This account is currently not available.'],
    ['false', 'runs no commands (it says nothing: false?)', undefined],
    ['rbash', 'runs no commands', 'rbash: line 1: exec: restricted'],
  ])('%s is told as it is, and that nothing was done', async (shell, message, words) => {
    const opened = await log(shell);
    const error = await opened.run([read(['true'])]).catch((caught) => caught);
    expect(error).toBeInstanceOf(HostError);
    expect(error.message).toBe(`the login shell of root on contract ${message}`);
    expect(error.detail.stderr).toBe(words);
    expect(error.detail.next).toContain('getent passwd root');
  });
});
