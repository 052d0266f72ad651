import type { Duplex } from 'node:stream';
import { type Command, read } from '../engine/command.ts';
import { MooringError, mustSucceed } from '../engine/errors.ts';
import { reveal, type Secret } from '../engine/secret.ts';
import type { Health, Service } from '../engine/service.ts';

/** A busy host is slow to answer, and that is no failure. */
const TIMEOUT_MS = 30_000;

/** bash alone: no client has to be in the container. The text is on stdin, as it may hold a password. */
const CONVERSE = 'exec 3<>"/dev/tcp/127.0.0.1/$1"; cat >&3; cat <&3';

/** Whether something listens on a port of the container: for {@link bringUp}. */
export function portIsOpen(port: number): readonly [string, ...string[]] {
  return ['bash', '-c', 'exec 3<>"/dev/tcp/127.0.0.1/$1"', 'bash', String(port)];
}

/** How a service is asked over TCP whether it is healthy. */
export type Conversation<S> = {
  /** What is asked, for messages: `PING`. */
  readonly name: string;
  port(settings: S): number;
  /** All that the client says, its farewell included: the service closes the connection after it. */
  says(settings: S): string | Secret;
  /** The version that the whole answer tells. @throws MooringError when it is none of a healthy service */
  version(answer: string): string;
};

/** Health of a service that one conversation over TCP tells, inside the container and over its address. */
export function healthOverTcp<S>(conversation: Conversation<S>): Service<S>['health'] {
  const { name, port, says, version } = conversation;
  const healthy = (answer: string): Health => ({ version: version(answer), detail: name });
  return {
    inside: ({ settings }) => ({
      name,
      command: converseInside(port(settings), says(settings)),
      parse: (result) => healthy(mustSucceed(result, `${name}: nothing answers inside of the container`).stdout),
    }),
    outside: async ({ settings }, connect) =>
      healthy(await converse(await connect(port(settings)), reveal(says(settings)), `nothing answered ${name}`)),
  };
}

function converseInside(port: number, says: string | Secret): Command {
  return read(['bash', '-c', CONVERSE, 'bash', String(port)], { stdin: says, timeoutMs: TIMEOUT_MS });
}

/**
 * Says a whole conversation and reads until the other side closes.
 *
 * @param failure what to say when it does not close in time
 * @throws MooringError
 */
export function converse(socket: Duplex, text: string, failure: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const timer = setTimeout(() => {
      reject(new MooringError(`${failure} within ${TIMEOUT_MS} ms`));
      socket.destroy();
    }, TIMEOUT_MS);
    const end = () => {
      clearTimeout(timer);
      resolve(answer);
    };
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      answer += part;
    });
    socket.on('end', end).on('close', end).on('error', reject);
    socket.write(text);
  });
}
