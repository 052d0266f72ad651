import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An sshd of our own on loopback, with keys of its own, and an SSH configuration for it. */
export type TestSshd = {
  readonly folder: string;
  readonly port: number;
  /** Path of the SSH configuration; `contract` is its Host. */
  readonly config: string;
  readonly knownHosts: string;
  /** Adds a Host to the configuration, with the same address. */
  alias(name: string, ...lines: string[]): void;
  /** Ends the processes that serve its connections, as when a cable is cut: `kill -9`, no farewell. */
  cutConnections(): void;
  stop(): Promise<void>;
};

const program = '/usr/sbin/sshd';

/** An sshd whose users have a login shell of our choice: it is what is given the command (`ForceCommand` stands in for /etc/passwd). */
export function startSshdWithShell(shell: string): Promise<TestSshd> {
  const program = shell.split(' ').at(-1) as string;
  execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' });
  return startSshd(`ForceCommand ${shell} -c "$SSH_ORIGINAL_COMMAND"`);
}

/** Starts it and waits until it listens. @throws when openssh-server is not there: it is required */
export async function startSshd(...settings: string[]): Promise<TestSshd> {
  if (!existsSync(program)) throw new Error(`${program} is missing, and the contract tests need it: apt-get install openssh-server`);
  const folder = mkdtempSync(join(tmpdir(), 'mooring contract '));
  const port = await freePort();
  for (const name of ['host', 'id', 'other']) keygen(join(folder, name));
  execFileSync('cp', [join(folder, 'id.pub'), join(folder, 'authorized')]);
  const knownHosts = join(folder, 'known hosts');
  writeFileSync(knownHosts, knownLine(port, join(folder, 'host.pub')));
  const server = join(folder, 'sshd_config');
  writeFileSync(server, serverSettings(folder, port, settings));
  const config = join(folder, 'ssh_config');
  const alias = (name: string, ...lines: string[]) => {
    const all = [
      ...lines,
      'HostName 127.0.0.1',
      `Port ${port}`,
      `IdentityFile "${join(folder, 'id')}"`,
      `UserKnownHostsFile "${knownHosts}"`,
    ];
    writeFileSync(config, `Host ${name}\n${all.map((line) => `  ${line}\n`).join('')}  GlobalKnownHostsFile /dev/null\n`, { flag: 'a' });
  };
  alias('contract');
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const daemon = spawn(program, ['-D', '-e', '-f', server], { stdio: ['ignore', 'ignore', 'pipe'] });
  // A test runner that is ended in the middle must not leave it behind.
  const endDaemon = () => daemon.kill();
  process.once('exit', endDaemon);
  await listening(daemon);
  return {
    folder,
    port,
    config,
    knownHosts,
    alias,
    cutConnections() {
      for (const pid of childrenOf(daemon.pid as number)) end(pid, 'SIGKILL');
    },
    async stop() {
      process.off('exit', endDaemon);
      for (const pid of childrenOf(daemon.pid as number)) end(pid, 'SIGTERM');
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** The sshd_config of a server with its keys in a folder. */
function serverSettings(folder: string, port: number, more: readonly string[]): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey "${join(folder, 'host')}"`,
    `AuthorizedKeysFile "${join(folder, 'authorized')}"`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    ...more,
    '',
  ].join('\n');
}

/** A new ed25519 key pair at `path` and `path.pub`. */
export function keygen(path: string, passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'contract', '-f', path]);
}

/** The known_hosts line for a public key on our port. */
export function knownLine(port: number, publicKey: string): string {
  return `[127.0.0.1]:${port} ${readFileSync(publicKey, 'utf8').split(' ').slice(0, 2).join(' ')}\n`;
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** Sends a signal to a process that may have ended by itself meanwhile. */
function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function listening(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    daemon.stderr?.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Server listening')) resolve();
    });
    daemon.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${said}`)));
  });
}
