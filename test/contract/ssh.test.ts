import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { read, script } from '../../tools/executors/src/engine/command.ts';
import { HostError, type MooringError } from '../../tools/executors/src/engine/errors.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { hostContract } from './host.contract.ts';
import { freePort, keygen, knownLine, startSshd, startSshdWithShell, type TestSshd } from './sshd.ts';
import { stateContract } from './state.contract.ts';

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const open = (host = 'contract') => openHost({ host, sshConfig: sshd.config });
const refused = async (host: string): Promise<MooringError> => {
  const error = await open(host).then(
    (opened) => opened.close().then(() => undefined),
    (error) => error,
  );
  if (error === undefined) throw new Error(`${host} let us in`);
  expect(error).toBeInstanceOf(HostError);
  return error;
};

hostContract('ssh', open);
stateContract('ssh', open);

describe('the connection is cut in the middle', () => {
  test('the command that ran is an error that says so, and so is the next one', async () => {
    const host = await open();
    const running = host.run([script('write', 'sleep 20')]);
    const failed = expect(running).rejects.toThrow(/connection was lost.*unknown whether it was done/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    sshd.cutConnections();
    await failed;
    await expect(host.run([read(['true'])])).rejects.toThrow(/connection was lost.*before the command was started/);
    await host.close();
  });
});

describe('host keys', () => {
  const other = () => join(sshd.folder, 'other.pub');
  let kept: string;
  beforeAll(() => {
    kept = readFileSync(sshd.knownHosts, 'utf8');
  });
  afterEach(() => writeFileSync(sshd.knownHosts, kept));

  test('an unknown host key is refused, with its fingerprint and the command that adds it', async () => {
    writeFileSync(sshd.knownHosts, '');
    const error = await refused('contract');
    const print = execFileSync('ssh-keygen', ['-lf', join(sshd.folder, 'host.pub')], { encoding: 'utf8' }).split(' ')[1] as string;
    expect(error.message).toContain('is unknown');
    expect(error.message).toContain(print);
    expect(error.detail.next).toContain(`ssh-keyscan -t ed25519 -p ${sshd.port} 127.0.0.1 >> '${sshd.knownHosts}'`);
  });

  test('the command of the message adds the key', async () => {
    writeFileSync(sshd.knownHosts, '');
    sshd.alias('renamed', 'HostKeyAlias renamed-host');
    const { next = '' } = (await refused('renamed')).detail;
    const add = next.slice(next.indexOf('echo '));
    execFileSync('sh', ['-c', add]);
    await (await open('renamed')).close();
  });

  test('a changed host key is refused, with file and line, and the commands that remove and add it', async () => {
    writeFileSync(sshd.knownHosts, `# first line\n${knownLine(sshd.port, other())}`);
    const error = await refused('contract');
    expect(error.message).toContain('has changed');
    expect(error.message).toContain(`${sshd.knownHosts}:2`);
    expect(error.detail.next).toContain(`ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f '${sshd.knownHosts}'`);
  });

  test('a host that has no key of the known kind any more is a changed one', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(sshd.folder, 'ecdsa')]);
    writeFileSync(sshd.knownHosts, knownLine(sshd.port, join(sshd.folder, 'ecdsa.pub')));
    const error = await refused('contract');
    expect(error.message).toContain('has changed');
    expect(error.message).toContain(`${sshd.knownHosts}:1`);
  });

  test('a revoked key is refused though it is known too', async () => {
    const key = readFileSync(join(sshd.folder, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    writeFileSync(sshd.knownHosts, `${kept}@revoked * ${key}\n`);
    expect((await refused('contract')).message).toContain(`is revoked: it offers ssh-ed25519 `);
  });

  test('hashed names and other entries of the same host are understood', async () => {
    writeFileSync(sshd.knownHosts, `${knownLine(sshd.port, other())}${kept}`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', sshd.knownHosts], { stdio: 'ignore' });
    expect(readFileSync(sshd.knownHosts, 'utf8')).toMatch(/^\|1\|/);
    await (await open()).close();
  });

  test('nothing was sent to log in before: the server saw no user', async () => {
    writeFileSync(sshd.knownHosts, '');
    const seen: string[] = [];
    const { port, close } = await recordingProxy(sshd.port, seen);
    sshd.alias('watched', `Port ${port}`);
    await refused('watched').finally(close);
    // Key exchange only: identification, KEXINIT, ECDH init; then the connection is given up before NEWKEYS.
    expect(seen.join('')).toMatch(/^SSH-2\.0-/);
    expect(Buffer.byteLength(seen.join(''), 'latin1')).toBeLessThan(4000);
    expect(seen.join('')).not.toContain('ssh-userauth');
  });
});

describe('who does not get in, and why', () => {
  test('a key that the host does not have', async () => {
    sshd.alias('stranger', `IdentityFile "${join(sshd.folder, 'other')}"`, 'IdentitiesOnly yes', 'IdentityAgent none');
    // `alias` adds our key after it: take the right away instead.
    const authorized = join(sshd.folder, 'authorized');
    const kept = readFileSync(authorized);
    writeFileSync(authorized, '');
    const error = await refused('stranger').finally(() => writeFileSync(authorized, kept));
    expect(error.message).toMatch(/does not let root in; tried: no agent.*\/other, .*\/id/);
    expect(error.detail.next).toContain('does the host have your public key?');
  });

  test('a key with a passphrase and no agent, and with one', async () => {
    const locked = join(sshd.folder, 'locked');
    keygen(locked, 'open sesame');
    writeFileSync(join(sshd.folder, 'authorized'), readFileSync(`${locked}.pub`), { flag: 'a' });
    const config = join(sshd.folder, 'locked_config');
    writeFileSync(
      config,
      `Host locked\n HostName 127.0.0.1\n Port ${sshd.port}\n IdentityFile "${locked}"\n IdentitiesOnly yes\n UserKnownHostsFile "${sshd.knownHosts}"\n`,
    );
    const attempt = () => openHost({ host: 'locked', sshConfig: config });
    const before = process.env.SSH_AUTH_SOCK;
    delete process.env.SSH_AUTH_SOCK;
    await expect(attempt()).rejects.toMatchObject({
      message: expect.stringContaining('has a passphrase and can be used through an agent only'),
      detail: { next: expect.stringContaining(`ssh-add ${locked}`) },
    });
    const agent = execFileSync('ssh-agent', ['-s', '-a', join(sshd.folder, 'agent')], { encoding: 'utf8' });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]);
    try {
      process.env.SSH_AUTH_SOCK = join(sshd.folder, 'agent');
      const ask = join(sshd.folder, 'ask');
      writeFileSync(ask, '#!/bin/sh\necho open sesame\n');
      chmodSync(ask, 0o700);
      const env = { ...process.env, SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force' };
      execFileSync('ssh-add', ['-q', join(sshd.folder, 'other')], { env });
      await expect(attempt()).rejects.toThrow(/tried: 0 of the agent's 1 keys/);
      execFileSync('ssh-add', ['-q', locked], { env, stdio: 'ignore' });
      await (await attempt()).close();
    } finally {
      process.kill(pid);
      if (before === undefined) delete process.env.SSH_AUTH_SOCK;
      else process.env.SSH_AUTH_SOCK = before;
    }
  });

  test('a user who has a certificate: OpenSSH gets in, and we say what we do not take, and what will do', async () => {
    const at = (name: string) => join(sshd.folder, name);
    keygen(at('ca'));
    const trusting = await startSshd(`TrustedUserCAKeys "${at('ca.pub')}"`);
    keygen(at('signed'));
    execFileSync('ssh-keygen', ['-q', '-s', at('ca'), '-I', 'deploy', '-n', 'root', at('signed.pub')]);
    execFileSync('cp', [at('signed'), at('apart')]);
    const config = at('certificates_config');
    const common = ` HostName 127.0.0.1\n Port ${trusting.port}\n UserKnownHostsFile "${trusting.knownHosts}"\n IdentityAgent "${at('ca agent')}"\n`;
    writeFileSync(
      config,
      `Host beside\n IdentityFile "${at('signed')}"\n${common}Host named\n IdentityFile "${at('apart')}"\n CertificateFile "${at('signed-cert.pub')}"\n${common}Host agent\n IdentityFile "${at('no such')}"\n${common}`,
    );
    const agent = execFileSync('ssh-agent', ['-s', '-a', at('ca agent')], { encoding: 'utf8' });
    const login = (host: string) => openHost({ host, sshConfig: config });
    try {
      for (const [host, seen] of [
        ['beside', at('signed-cert.pub')],
        ['named', at('signed-cert.pub')],
        ['agent', 'contract in the agent'],
      ] as const) {
        if (host === 'agent')
          execFileSync('ssh-add', ['-q', at('signed')], { env: { ...process.env, SSH_AUTH_SOCK: at('ca agent') }, stdio: 'ignore' });
        execFileSync('ssh', ['-F', config, '-o', 'BatchMode=yes', host, 'true']);
        const error = await login(host).then(
          () => undefined,
          (caught) => caught as HostError,
        );
        expect(error?.message).toContain('nx-mooring does not support SSH user certificates, so it did not try ');
        expect(error?.message).toContain(seen);
        expect(error?.detail.next).toContain(`ssh-copy-id -f -F '${config}' -i `);
      }
      writeFileSync(join(trusting.folder, 'authorized'), readFileSync(at('signed.pub')));
      await (await login('beside')).close();
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]));
      await trusting.stop();
    }
  });

  test('an agent that is gone does not stand in the way of a key file', async () => {
    sshd.alias('dead-agent', `IdentityAgent "${join(sshd.folder, 'no such agent')}"`);
    await (await open('dead-agent')).close();
  });
});

describe('a host that cannot be reached', () => {
  test('refused: nothing listens there', async () => {
    sshd.alias('refused', `Port ${await freePort()}`);
    const error = await refused('refused');
    expect(error.message).toContain('refuses the connection');
    expect(error.detail.next).toContain('is sshd running there');
  });

  test('unreachable: it takes the connection and says nothing', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    sshd.alias('silent', `Port ${(silent.address() as { port: number }).port}`, 'ConnectTimeout 1');
    const error = await refused('silent').finally(() => silent.close());
    expect(error.message).toContain('does not answer within 1 seconds');
  });

  test('a name that does not resolve', async () => {
    sshd.alias('nameless', 'HostName mooring-no-such-host.invalid');
    const error = await refused('nameless');
    expect(error.message).toContain('the name mooring-no-such-host.invalid cannot be resolved');
    expect(error.detail.next).toContain(sshd.config);
  });

  test('an alias that could be an option, and a configuration that is not there', async () => {
    await expect(open('-oProxyCommand=id')).rejects.toThrow('is not an SSH host alias');
    await expect(openHost({ host: 'contract', sshConfig: '/no/such/config' })).rejects.toThrow('does not take the configuration');
  });
});

describe('ways around', () => {
  test('over a jump host (itself), and over a proxy command', async () => {
    sshd.alias('inner', 'ProxyJump contract');
    const pipe = join(sshd.folder, 'pipe.mjs');
    writeFileSync(
      pipe,
      "import { connect } from 'node:net';\nconst [, , host, port] = process.argv;\nconst s = connect(port, host);\nprocess.stdin.pipe(s).pipe(process.stdout);\n",
    );
    sshd.alias('piped', `ProxyCommand '${process.execPath}' '${pipe}' %h %p`);
    for (const name of ['inner', 'piped']) {
      const host = await open(name);
      expect((await host.run([read(['echo', name])]))[0]?.stdout).toBe(`${name}\n`);
      await host.close();
    }
  });

  test('a jump host that fails is named with its own words', async () => {
    sshd.alias('dead-hop', `Port ${await freePort()}`);
    sshd.alias('behind', 'ProxyJump dead-hop');
    const error = await refused('behind');
    expect(error.message).toContain('the way to behind');
    expect(error.detail.stderr).toContain('Connection refused');
  });
});

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

describe('a host that allows few sessions', () => {
  let narrow: TestSshd;
  let host: OpenHost;
  beforeAll(async () => {
    narrow = await startSshd('MaxSessions 2', 'AllowTcpForwarding no');
    host = await openHost({ host: 'contract', sshConfig: narrow.config });
  });
  afterAll(async () => {
    await host.close();
    await narrow.stop();
  });

  test('what it refuses waits for what runs, and is done once', async () => {
    const log = join(narrow.folder, 'log');
    await Promise.all(Array.from({ length: 7 }, (_, i) => host.run([script('write', 'echo "$2" >>"$1"; sleep 0.2', [log, String(i)])])));
    expect(readFileSync(log, 'utf8').trim().split('\n').sort()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  test('forbidden forwarding is said with the setting that allows it', async () => {
    await expect(host.connect('127.0.0.1', narrow.port)).rejects.toMatchObject({
      detail: { next: expect.stringContaining('AllowTcpForwarding') },
    });
  });
});

/** Passes bytes to sshd and keeps what we send. */
async function recordingProxy(to: number, seen: string[]): Promise<{ port: number; close(): void }> {
  const { connect } = await import('node:net');
  const server = createServer((socket) => {
    const upstream = connect(to, '127.0.0.1');
    socket.on('data', (chunk) => seen.push(chunk.toString('latin1')));
    socket.on('error', () => {}).pipe(upstream);
    upstream.on('error', () => {}).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, close: () => void server.close() };
}
