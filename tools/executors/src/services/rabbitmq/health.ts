import type { Duplex } from 'node:stream';
import { type CommandResult, read } from '../../engine/command.ts';
import { CommandError, lastLines, type MooringError, UnhealthyError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { joinSecret, Secret } from '../../engine/secret.ts';
import type { Connect, Desired, Health } from '../../engine/service.ts';
import { type AmqpAnswer, conversation, FAREWELL, readAnswer } from './amqp.ts';
import { EVALUATE } from './erlang.ts';
import { paths } from './files.ts';
import { aboutNode, type Look, readLook, shortages } from './resources.ts';
import type { RabbitmqSettings } from './settings.ts';

/** A busy host is slow to answer, and that is no failure. */
const TIMEOUT_MS = 30_000;

/**
 * Says {@link conversation} to a port of this machine and prints the answer in hex; then, as the same process, it becomes the command that
 * asks the node, which finds the rest of stdin. Perl is in every Debian (perl-base is essential); no client needs to be.
 *
 * It ends with the server's Close-Ok, or where no more is to come: RabbitMQ waits for the client to go. One that is blocked does not read on.
 */
const EXCHANGE = String.raw`use Socket;
my ($port, $length, $farewell, @next) = @ARGV;
my ($all, $answer) = ("", "");
while (length $all < $length) { sysread(STDIN, $all, $length - length $all, length $all) or die "stdin: $!\n" }
eval {
  local $SIG{ALRM} = sub { die "port $port: no whole answer within 20 s\n" };
  alarm 20;
  socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
  connect($server, sockaddr_in($port, INADDR_LOOPBACK)) or die "port $port: $!\n";
  $all = pack("H*", $all);
  syswrite($server, $all) == length $all or die "port $port: $!\n";
  my $done = 0;
  while (sysread($server, $answer, 65536, length $answer)) {
    last if $answer =~ /\x01\0[\0\x01]....\0(?:\x0a\0[\x32\x33\x3c]|\x14\0\x28).*\xce\z/s;
    $done ||= syswrite($server, pack("H*", $farewell)) if $answer =~ /\x01\0\x01....\0\x3c\0\x50.*\xce\z/s;
  }
};
warn $@ if $@;
alarm 0;
syswrite STDOUT, unpack("H*", $answer) . "\n";
exec @next;`;

/** The second line is df's, whatever it says; the third is the node's. */
const ASK = 'echo "$(df --output=pcent,ipcent "$0" | sed -n 2p)"; exec "$@"';

/**
 * Publishes as the application inside the container, and asks the node how it is for memory and disk: proves that a message is taken and
 * confirmed, and by the node's word that queues may be read from.
 */
export function inside({ settings }: Desired<RabbitmqSettings>): Fact<Health> {
  const bytes = asked(settings).toString('hex');
  return {
    name: 'AMQP',
    command: read(
      [
        'perl',
        '-e',
        EXCHANGE,
        String(settings.port),
        String(bytes.length),
        FAREWELL.toString('hex'),
        'sh',
        '-c',
        ASK,
        paths.data,
        ...EVALUATE,
      ],
      { stdin: joinSecret([new Secret(bytes), aboutNode(settings)]), timeoutMs: TIMEOUT_MS * 2 },
    ),
    parse(result) {
      const look = lookOf(result);
      const answer = readAnswer(Buffer.from(result.stdout.split('\n')[0] ?? '', 'hex'));
      if (answer === undefined) throw silence(result, look, settings);
      const health = healthy(answer, settings);
      const degraded = look instanceof Error ? [`its memory and disk are not known: ${look.message}`] : shortages(look, settings);
      return degraded.length === 0 ? health : { ...health, degraded };
    },
  };
}

function asked({ user, password, vhost, parameters }: RabbitmqSettings): Buffer {
  const { frame_max: frameMax = '' } = parameters;
  return conversation(user, password, vhost, /^\d{1,9}$/.test(frameMax) ? Number(frameMax) : 0);
}

/** What the node says of its memory and disk, by the words of {@link inside}: asked once. Nothing where it says nothing. */
export function resources(desired: Desired<RabbitmqSettings>): Fact<Look | null> {
  return {
    name: 'memory and disk',
    command: inside(desired).command,
    parse(result) {
      const look = lookOf(result);
      return look instanceof Error ? null : look;
    },
  };
}

/** Publishes as the application from the host, over the container's address: proves that a message is taken and confirmed. */
export async function outside({ settings }: Desired<RabbitmqSettings>, connect: Connect): Promise<Health> {
  const socket = await connect(settings.port);
  try {
    return healthy(await converse(socket, asked(settings)), settings);
  } finally {
    socket.destroy();
  }
}

function healthy({ version, outcome }: AmqpAnswer, { user, vhost }: RabbitmqSettings): Health {
  if (outcome === 'confirmed') return { version, detail: `publish and confirm on ${vhost}` };
  if ('blocked' in outcome) {
    throw new UnhealthyError(`RabbitMQ blocks all publishers: ${outcome.blocked}`, {
      next: 'rabbitmq-diagnostics status, in the container: its alarms, memory and disk; vm_memory_high_watermark and disk_free_limit set the limits',
    });
  }
  const message = `RabbitMQ does not take a message from ${user} on ${vhost}: ${outcome.code} ${outcome.text}`;
  // Any other refusal may be of a password or vhost that it does not have yet.
  throw /limit|access to .* refused/i.test(outcome.text) ? new UnhealthyError(message) : new CommandError(message);
}

/** What the node says of itself, or why it says nothing. */
function lookOf(result: CommandResult): Look | Error {
  try {
    return readLook(result);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
}

function silence({ stderr }: CommandResult, look: Look | Error, { port }: RabbitmqSettings): MooringError {
  if (!(look instanceof Error) && look.drained) {
    return new UnhealthyError('RabbitMQ is in maintenance mode: it takes no connections', {
      next: 'rabbitmq-upgrade revive, in the container',
    });
  }
  return new CommandError(`RabbitMQ does not answer on port ${port}`, { stderr: lastLines(stderr) });
}

/** Sends the conversation, reads until its outcome is known, and takes its leave of a server that reads on. */
function converse(socket: Duplex, bytes: Buffer): Promise<AmqpAnswer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let confirmed: AmqpAnswer | undefined;
    const end = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    const over = (why: string, cause?: unknown) =>
      end(() => (confirmed === undefined ? reject(new CommandError(`RabbitMQ does not answer: ${why}`, {}, cause)) : resolve(confirmed)));
    const timer = setTimeout(() => over(`nothing within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    socket.on('data', (part: Buffer) => {
      if (confirmed !== undefined) return over('what comes now is its Close-Ok');
      received = Buffer.concat([received, part]);
      try {
        const answer = readAnswer(received);
        if (answer === undefined) return;
        if (answer.outcome !== 'confirmed') return end(() => resolve(answer));
        confirmed = answer;
        socket.write(FAREWELL);
      } catch (error) {
        end(() => reject(error));
      }
    });
    socket.on('end', () => over('the connection was closed')).on('close', () => over('the connection was closed'));
    socket.on('error', (error) => over(error.message, error));
    socket.write(bytes);
  });
}
