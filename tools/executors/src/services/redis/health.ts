import { read } from '../../engine/command.ts';
import { MooringError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { joinSecret } from '../../engine/secret.ts';
import type { Connect, Desired, Health } from '../../engine/service.ts';
import { converse } from '../tcp.ts';
import { quoteWord } from './conf.ts';
import type { RedisSettings } from './settings.ts';

/** A busy host is slow to answer, and that is no failure. */
const TIMEOUT_MS = 30_000;

/** AUTH, PING and the version, as redis-cli is told them on stdin and as the wire takes them (inline commands). */
function conversation({ settings }: Desired<RedisSettings>) {
  return joinSecret(['AUTH ', quoteWord(settings.password), '\r\nPING\r\nINFO server\r\nQUIT\r\n']);
}

/** AUTH and PING inside the container. */
export function inside(desired: Desired<RedisSettings>): Fact<Health> {
  return {
    name: 'AUTH and PING',
    command: read(['redis-cli', '-p', String(desired.settings.port)], { stdin: conversation(desired), timeoutMs: TIMEOUT_MS }),
    parse: (result) => healthy(result.stdout, result.stderr),
  };
}

/** AUTH and PING from the host, over the container's address. */
export async function outside(desired: Desired<RedisSettings>, connect: Connect): Promise<Health> {
  const socket = await connect(desired.settings.port);
  try {
    const reply = await converse(socket, conversation(desired).reveal(), 'redis did not answer');
    return healthy(reply.replaceAll(/^[+]/gm, ''), '');
  } finally {
    socket.destroy();
  }
}

function healthy(reply: string, stderr: string): Health {
  const [, version] = /^redis_version:([\w.-]+)\s*$/m.exec(reply) ?? [];
  if (!/^PONG\s*$/m.test(reply) || version === undefined) {
    const said = (reply + stderr).split('\n').find((line) => /ERR|WRONGPASS|NOAUTH|LOADING|Could not connect/.test(line));
    throw new MooringError(`redis does not answer AUTH and PING: ${said?.trim() ?? 'no answer'}`);
  }
  return { version, detail: 'AUTH and PING' };
}
