import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { Duplex, type Readable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { Config, NodeSSH } from 'node-ssh';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import type { Command, CommandResult } from '../engine/command.ts';
import { HostError, lastLines } from '../engine/errors.ts';
import { reveal } from '../engine/secret.ts';
import type { Transport } from '../engine/transport.ts';
import { gate } from './gate.ts';
import { findKnownKeys, hostKeyAlgorithms, judgeKey } from './known-hosts.ts';
import { minimalEnvironment } from './process.ts';
import { authentication } from './ssh-auth.ts';
import { certificatesOf } from './ssh-certificates.ts';
import { readSshSettings, type SshSettings } from './ssh-config.ts';
import { type ConnectTrouble, connectError, keyError } from './ssh-errors.ts';
import { type Execute, SessionRefused, sshSessions } from './ssh-sessions.ts';

/** One connection to a host. */
export type SshConnection = {
  readonly transport: Transport;
  /** As `transport`, but never behind other commands: for what must not wait, such as renewing a lease. */
  readonly spare: Transport;
  connect(address: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
};

/** sshd's MaxSessions is 10 unless set otherwise; one is for `spare`, one is opened ahead. */
const sessions = 8;

/** RFC 4254, 5.1. */
const administrativelyProhibited = 1;

/**
 * Connects to a host as OpenSSH would: its settings, keys, agent and jumps, and its known_hosts. Nothing is sent to log
 * in before the host key has been found known.
 *
 * @param config absolute path of an SSH configuration file in place of the user's
 * @throws HostError with the cause and the next step
 */
export async function openSsh(alias: string, config?: string): Promise<SshConnection> {
  const libraries = Promise.all([import('node-ssh'), import('ssh2')]);
  libraries.catch(() => {});
  const settings = await readSshSettings(alias, config);
  const [known, [{ NodeSSH }, { default: ssh2 }]] = await Promise.all([
    findKnownKeys(settings.hostKeyName, settings.knownHosts),
    libraries,
  ]);
  const { methods, tried } = await authentication(settings, ssh2);
  const proxy = settings.proxy && openProxy(settings.proxy);
  let keyTrouble: HostError | undefined;
  const options: Config = {
    ...(proxy === undefined ? { host: settings.hostname, port: settings.port } : { sock: proxy.stream }),
    username: settings.user,
    ...(settings.family !== undefined && { forceIPv4: settings.family === 4, forceIPv6: settings.family === 6 }),
    authHandler: [...methods],
    algorithms: { serverHostKey: hostKeyAlgorithms(known, settings.hostKeyAlgorithms) as ServerHostKeyAlgorithm[] },
    hostVerifier: (key: Buffer) => {
      const verdict = judgeKey(known, key);
      if (verdict !== 'known') keyTrouble = keyError(settings, verdict, key, known);
      return verdict === 'known';
    },
    readyTimeout: settings.connectTimeoutMs,
    keepaliveInterval: settings.keepAliveMs,
    keepaliveCountMax: settings.keepAliveCount,
  };
  const ssh = new NodeSSH();
  try {
    await ssh.connect(options);
  } catch (error) {
    ssh.dispose();
    const proxyStderr = (await proxy?.end()) ?? '';
    if (keyTrouble !== undefined) throw keyTrouble;
    const trouble = error as ConnectTrouble['error'];
    const certificates = trouble.level === 'client-authentication' ? await certificatesOf(settings) : [];
    throw connectError(settings, { error: trouble, known, tried, certificates, proxyStderr });
  }
  return connection(settings, ssh, async () => void (await proxy?.end()));
}

function connection(settings: SshSettings, ssh: NodeSSH, endProxy: () => Promise<void>): SshConnection {
  const { alias } = settings;
  let lost = 'the connection was lost';
  // Without a listener an error of the connection would end this process; what runs over it learns by its channel's end.
  ssh.connection?.on('error', (error) => {
    lost = `the connection was lost (${error.message})`;
  });
  const execute = sshSessions(ssh, settings, () => lost);
  return {
    ...transports(alias, execute),
    connect: (address, port) => forwarded(ssh, alias, address, port),
    async close() {
      await hangUp(ssh);
      await endProxy();
    },
  };
}

/** Commands wait for a session of those that the host allows, but for what must not wait. */
function transports(alias: string, execute: Execute): Pick<SshConnection, 'transport' | 'spare'> {
  const exec = (command: Command) => execute(command, command.stdin === undefined ? undefined : reveal(command.stdin));
  const execFile = (command: Command, source: string) => withPacked(alias, source, (packed) => execute(command, packed));
  const room = gate(sessions);
  /** sshd may allow fewer sessions than we think: what was refused was not started, and waits for one that ends. */
  const queued = (command: Command): Promise<CommandResult> =>
    room
      .enter(() =>
        exec(command).catch((error) => {
          if (!(error instanceof SessionRefused) || room.running < 2) throw error;
          room.lower(room.running - 1);
          return undefined;
        }),
      )
      .then((result) => result ?? queued(command));
  return {
    transport: { name: alias, packs: true, exec: queued, execFile: (command, source) => room.enter(() => execFile(command, source)) },
    spare: { name: alias, packs: true, exec, execFile },
  };
}

/** Does work with a file's content, packed. @throws HostError when it cannot be read */
async function withPacked<T>(alias: string, source: string, work: (packed: Readable) => Promise<T>): Promise<T> {
  const file = await open(source).catch((error) => {
    throw new HostError(`${source} cannot be read: ${error.message}`, { host: alias }, error);
  });
  try {
    // Fast, not small: a binary halves at the least effort.
    const packed = createGzip({ level: constants.Z_BEST_SPEED });
    file
      .createReadStream({ autoClose: false })
      .on('error', (error) => packed.destroy(error))
      .pipe(packed);
    return await work(packed);
  } finally {
    await file.close();
  }
}

async function forwarded(ssh: NodeSSH, alias: string, address: string, port: number): Promise<Duplex> {
  try {
    return await ssh.forwardOut('127.0.0.1', 0, address, port);
  } catch (error) {
    const { message, reason } = error as Error & { reason?: number };
    throw new HostError(
      `no connection from ${alias} to ${address}:${port}: ${message}`,
      { host: alias, ...(reason === administrativelyProhibited && { next: 'sshd there must allow it: AllowTcpForwarding local' }) },
      error,
    );
  }
}

/** Ends the connection as it should be ended, and after two seconds as it can be. */
async function hangUp(ssh: NodeSSH): Promise<void> {
  const client = ssh.connection;
  const closed = client && ssh.isConnected() ? new Promise<void>((resolve) => client.once('close', () => resolve())) : undefined;
  ssh.dispose();
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
  client?.destroy();
}

function openProxy(argv: readonly [string, ...string[]]): { stream: Duplex; end(): Promise<string> } {
  const agent = process.env.SSH_AUTH_SOCK;
  const [program, ...rest] = argv;
  const child: ChildProcessWithoutNullStreams = spawn(program, rest, {
    env: { ...minimalEnvironment(), ...(agent !== undefined && { SSH_AUTH_SOCK: agent }) },
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr = lastLines(stderr + chunk);
  });
  const ended = new Promise<void>((resolve) => child.once('error', () => resolve()).once('close', () => resolve()));
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  return {
    stream,
    async end() {
      child.kill();
      await ended;
      return stderr;
    },
  };
}
