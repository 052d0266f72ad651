import { access } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { type Command, type CommandResult, showCommand } from '../engine/command.ts';
import { AGAIN, HostError } from '../engine/errors.ts';
import { reveal } from '../engine/secret.ts';
import type { Transport } from '../engine/transport.ts';
import { limitedArgv, minimalEnvironment, outputLimit } from './process.ts';

/** This machine as a transport. @throws HostError when a process cannot be started, is killed, or says too much */
export function localTransport(): Transport {
  return {
    name: 'local',
    exec: (command) => start(command, command.stdin === undefined ? { stdin: 'ignore' } : { input: reveal(command.stdin) }),
    async execFile(command, source) {
      await access(source).catch((error) => {
        throw new HostError(`${source} cannot be read: ${error.message}`, { host: 'local' }, error);
      });
      return start(command, { inputFile: source });
    },
  };
}

type Input = { stdin: 'ignore' } | { input: string } | { inputFile: string };

async function start(command: Command, input: Input): Promise<CommandResult> {
  const { execa } = await import('execa');
  const [program, ...rest] = limitedArgv(command);
  const child = execa(program, rest, {
    ...input,
    env: minimalEnvironment(),
    extendEnv: false,
    reject: false,
    // execa would put all output, escaped letter by letter, into an error that nobody reads: 25 s for 64 MiB.
    buffer: false,
  });
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let size = 0;
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= outputLimit) output[stream].push(chunk);
      else child.kill('SIGKILL');
    });
  }
  const { exitCode, signal, code } = await child;
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
  if (exitCode !== undefined && size <= outputLimit)
    return { command, code: exitCode, stdout: text(output.stdout), stderr: text(output.stderr) };
  const detail = { host: 'local', command: showCommand(command) };
  if (size > outputLimit) throw new HostError(`${program} wrote more than ${outputLimit / 1024 / 1024} MiB and was ended`, detail);
  if (signal !== undefined) {
    throw new HostError(`${program} was killed by ${signal}: it is unknown whether it was done`, {
      ...detail,
      next: AGAIN,
    });
  }
  throw new HostError(`${program} could not be started: ${code ?? 'no reason given'}`, detail);
}

/**
 * Opens a TCP connection from this machine.
 *
 * @returns the socket; its errors are for the caller to listen to
 * @throws HostError when nobody answers within 10 seconds
 */
export async function connectLocally(address: string, port: number): Promise<Duplex> {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, timeout: 10_000 });
    const fail = (why: string) => {
      socket.destroy();
      reject(new HostError(`no connection from local to ${address}:${port}: ${why}`, { host: 'local' }));
    };
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('timeout', () => fail('no answer within 10 seconds'));
    socket.once('connect', () => {
      socket.removeAllListeners('error').removeAllListeners('timeout').setTimeout(0);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
