import type { Duplex } from 'node:stream';
import { read } from '../../engine/command.ts';
import { CommandError, commandFailed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { Secret } from '../../engine/secret.ts';
import type { Connect, Desired, Health } from '../../engine/service.ts';
import { type AmqpAnswer, conversation, readAnswer } from './amqp.ts';
import type { RabbitmqSettings } from './settings.ts';

/** A busy host is slow to answer, and that is no failure. */
const TIMEOUT_MS = 30_000;

/**
 * Sends what is on stdin to a port of this machine and prints the answer, both in hex. It ends with the server's Close or Close-Ok
 * frame: after that RabbitMQ waits for the client to go. Perl is in every Debian (perl-base is essential); no client needs to be.
 */
const EXCHANGE = String.raw`use Socket;
socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
connect($server, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die "port $ARGV[0]: $!\n";
local $/; my $all = pack("H*", <STDIN>); my ($answer, $part) = ("", "");
syswrite($server, $all) == length $all or die "port $ARGV[0]: $!\n";
while (sysread($server, $part, 65536)) { $answer .= $part; last if $answer =~ /\x01\0\0....\0\x0a\0[\x32\x33].*\xce\z/s }
print unpack("H*", $answer);`;

/** Opens the virtual host with the application's credentials inside the container. */
export function inside({ settings }: Desired<RabbitmqSettings>): Fact<Health> {
  const bytes = conversation(settings.user, settings.password, settings.vhost);
  return {
    name: 'AMQP',
    command: read(['perl', '-e', EXCHANGE, String(settings.port)], {
      stdin: new Secret(bytes.toString('hex')),
      timeoutMs: TIMEOUT_MS,
    }),
    parse(result) {
      const answer = readAnswer(Buffer.from(result.stdout, 'hex'));
      if (answer === undefined) throw commandFailed(result, `RabbitMQ does not answer on port ${settings.port}`);
      return healthy(answer, settings);
    },
  };
}

/** Opens the virtual host with the application's credentials from the host, over the container's address. */
export async function outside({ settings }: Desired<RabbitmqSettings>, connect: Connect): Promise<Health> {
  const socket = await connect(settings.port);
  try {
    return healthy(await converse(socket, conversation(settings.user, settings.password, settings.vhost)), settings);
  } finally {
    socket.destroy();
  }
}

function healthy({ version, outcome }: AmqpAnswer, { user, vhost }: RabbitmqSettings): Health {
  if (outcome === 'opened') return { version, detail: `AMQP 0-9-1 to ${vhost}` };
  throw new CommandError(`RabbitMQ does not open the vhost ${vhost} to ${user}: ${outcome.code} ${outcome.text}`);
}

/** Sends the conversation and reads until its end is known. */
function converse(socket: Duplex, bytes: Buffer): Promise<AmqpAnswer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const fail = (why: string, cause?: unknown) => reject(new CommandError(`RabbitMQ does not answer: ${why}`, {}, cause));
    const timer = setTimeout(() => fail(`nothing within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    const over = () => {
      clearTimeout(timer);
      fail('the connection was closed');
    };
    socket.on('data', (part: Buffer) => {
      received = Buffer.concat([received, part]);
      try {
        const answer = readAnswer(received);
        if (answer === undefined) return;
        clearTimeout(timer);
        resolve(answer);
      } catch (error) {
        clearTimeout(timer);
        reject(error);
      }
    });
    socket.on('end', over).on('close', over);
    socket.on('error', (error) => {
      clearTimeout(timer);
      fail(error.message, error);
    });
    socket.write(bytes);
  });
}
