import { PassThrough, type Readable } from 'node:stream';
import type { NodeSSH, SSHExecCommandResponse } from 'node-ssh';
import type { ClientChannel } from 'ssh2';
import { type Command, type CommandResult, showCommand } from '../engine/command.ts';
import { HostError } from '../engine/errors.ts';
import { quote } from '../engine/quote.ts';
import { limitedArgv, outputLimit } from './process.ts';
import type { SshSettings } from './ssh-config.ts';
import { lostError, shellError } from './ssh-errors.ts';

/** The host did not open a session: the command was not started. */
export class SessionRefused extends HostError {}

/** Runs one command over a connection; `stdin` is text or a stream. @throws SessionRefused; HostError when the answer is not whole */
export type Execute = (command: Command, stdin: string | Readable | undefined) => Promise<CommandResult>;

/** A shell on the host that has read its rc files and waits for the one command it becomes. */
type Session = {
  readonly input: PassThrough;
  readonly opened: Promise<ClientChannel>;
  readonly answer: Promise<SSHExecCommandResponse>;
  /** Told the size of every piece of output. */
  onBytes: (size: number) => void;
};

/** What the shell says before anything else. What comes before it is of the login shell and its rc files. */
const READY = 'nx-mooring: ready\n';

/**
 * What a session runs: a shell that reads one line, the command, and becomes it. The environment is as minimal as on this machine,
 * whatever the host's .bashrc says. To the login shell it is a program and two arguments, the last in single quotes: more than that
 * they do not have in common (`"$PATH:/sbin"` is an error in tcsh). No `'`, `!` or line end may be in it.
 */
const waitingShell = `exec sh -c ${quote(
  `echo "${READY.trimEnd()}"; p="PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin" h="HOME=$HOME"; ` +
    'IFS= read -r line && eval "exec env -i \\"\\$p\\" \\"\\$h\\" LANG=C.UTF-8 $(printf %b "$line")"',
)}`;

/**
 * The sessions of one connection. One is always opened ahead: opening takes two journeys to the host and its login shell's
 * .bashrc (bash reads it under sshd), which is most of what a short command would cost.
 *
 * @param lost tells why the connection is gone, in words
 */
export function sshSessions(ssh: NodeSSH, { alias, user }: Pick<SshSettings, 'alias' | 'user'>, lost: () => string): Execute {
  let ahead: Session | undefined = openSession(ssh);
  const take = async (): Promise<{ session: Session; channel: ClientChannel }> => {
    const ready = ahead;
    ahead = undefined;
    if (ready !== undefined) {
      // A host with few sessions may have refused the one ahead, or ended it meanwhile: then a new one is tried.
      const channel = await ready.opened.catch(() => undefined);
      if (channel?.writable) return { session: ready, channel };
    }
    const session = openSession(ssh);
    return { session, channel: await session.opened };
  };
  return async (command, stdin) => {
    const shown = showCommand(command);
    if (!ssh.isConnected()) throw new HostError(`${alias}: ${lost()} before the command was started`, { host: alias, command: shown });
    const { session, channel } = await take().catch((error: Error) => {
      if (/channel open failure/i.test(error.message)) {
        throw new SessionRefused(`${alias} opened no session: ${error.message}`, {
          host: alias,
          command: shown,
          next: 'MaxSessions of its sshd',
        });
      }
      throw new HostError(`${alias}: ${lost()} before the command was started (${error.message})`, { host: alias, command: shown }, error);
    });
    if (ahead === undefined && ssh.isConnected()) ahead = openSession(ssh);
    const failed = (why?: string) => lostError(alias, shown, why ?? lost());
    const result = await speak(session, channel, command, stdin, failed);
    const ready = result.stdout.indexOf(READY);
    if (ready < 0) throw shellError(alias, user, result);
    return { ...result, stdout: result.stdout.slice(ready + READY.length) };
  };
}

function openSession(ssh: NodeSSH): Session {
  const input = new PassThrough();
  let announce: (channel: ClientChannel) => void = () => {};
  const channel = new Promise<ClientChannel>((resolve) => {
    announce = resolve;
  });
  const session: { onBytes: Session['onBytes'] } = { onBytes: () => {} };
  const count = (chunk: Buffer) => session.onBytes(chunk.length);
  // node-ssh decodes every chunk by itself, which breaks letters at chunk borders; latin1 keeps the bytes.
  const answer = ssh.execCommand(waitingShell, {
    stdin: input,
    encoding: 'latin1',
    noTrim: true,
    onStdout: count,
    onStderr: count,
    onChannel: announce,
  });
  const opened = Promise.race([channel, answer.then(() => channel)]);
  // Nobody may ever ask for a session that was opened ahead.
  answer.catch(() => {});
  opened.catch(() => {});
  return Object.assign(session, { input, opened, answer });
}

async function speak(
  session: Session,
  channel: ClientChannel,
  command: Command,
  stdin: string | Readable | undefined,
  failed: (why?: string) => HostError,
): Promise<CommandResult> {
  let trouble: string | undefined;
  let size = 0;
  const stop = (why: string) => {
    trouble ??= why;
    channel.close();
  };
  session.onBytes = (more) => {
    size += more;
    if (size > outputLimit) stop(`more than ${outputLimit / 1024 / 1024} MiB came`);
  };
  session.input.write(`${escapeLine(limitedArgv(command).map(quote).join(' '))}\n`);
  if (typeof stdin === 'object') {
    stdin.once('error', (error) => stop(`the file could not be read to its end (${error.message})`)).pipe(session.input);
  } else {
    session.input.end(stdin ?? '');
  }
  const { code, signal, stdout, stderr } = await session.answer.catch((error: Error) => {
    throw failed(error.message);
  });
  if (trouble !== undefined) throw failed(trouble);
  if (code === null) throw failed(signal === null ? undefined : `${command.argv[0]} was killed by ${signal}`);
  return { command, code, stdout: Buffer.from(stdout, 'latin1').toString('utf8'), stderr: Buffer.from(stderr, 'latin1').toString('utf8') };
}

/** Text as one line of ASCII that `printf %b` turns back into the same bytes. */
function escapeLine(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^ -[\]-~]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
