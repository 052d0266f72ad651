import { script } from '../../engine/command.ts';
import { MooringError, UnhealthyError } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Connect, Desired, Health } from '../../engine/service.ts';
import { fullness } from '../disk.ts';
import { converse } from '../tcp.ts';
import { quoteWord } from './conf.ts';
import type { RedisSettings } from './settings.ts';
import { conversation, say } from './words.ts';

/** A busy host is slow to answer, and that is no failure. */
const TIMEOUT_MS = 30_000;
const DATA = '/var/lib/redis';
/** A part of memory or connections from which on somebody has to see to it. */
const NEARLY_FULL = 0.9;

/**
 * As redis-cli is told it on stdin and as the wire takes it (inline commands). SETRANGE of nothing passes all that any write passes (memory,
 * a failed dump, replicas that are missing, a replica's own refusal, rights), and changes nothing: of a key that does not exist it makes
 * none, tells nobody and writes nothing into the append-only file (t_string.c, setrangeCommand).
 */
function asked({ settings }: Desired<RedisSettings>) {
  return conversation(
    say('AUTH', quoteWord(settings.password)),
    say('PING'),
    say('SETRANGE', 'nx-mooring:health', '0', '""'),
    say('INFO'),
    say('QUIT'),
  );
}

/** AUTH, PING and a write of nothing inside the container. */
export function inside(desired: Desired<RedisSettings>): Fact<Health> {
  return {
    name: 'AUTH and PING',
    command: script(
      'read',
      'redis-cli -p "$1" || true; df --output=pcent,ipcent "$2" | sed -n "2s/^/disk:/p"',
      [String(desired.settings.port), DATA],
      {
        stdin: asked(desired),
        timeoutMs: TIMEOUT_MS,
      },
    ),
    parse: (result) => healthy(result.stdout, result.stderr),
  };
}

/** The same from the host, over the container's address. */
export async function outside(desired: Desired<RedisSettings>, connect: Connect): Promise<Health> {
  const socket = await connect(desired.settings.port);
  try {
    const reply = await converse(socket, asked(desired).reveal(), 'redis did not answer');
    return healthy(reply.replaceAll(/^[-+:]/gm, ''), '');
  } finally {
    socket.destroy();
  }
}

/** The answers before INFO's: to AUTH, PING and SETRANGE. In a cluster the key may be another node's. */
const ANSWERS = [/^OK$/, /^PONG$/, /^(\d+|MOVED .*|ASK .*)$/];

function healthy(reply: string, stderr: string): Health {
  const lines = (reply + stderr).split('\n').map((line) => line.trim());
  const version = told(lines, 'redis_version');
  const start = lines.indexOf('# Server');
  const said = lines.slice(0, Math.max(start, 0)).filter((line) => line !== '' && !line.startsWith('$'));
  const wrong = said.find((line, i) => !ANSWERS[i]?.test(line));
  if (wrong !== undefined && /^(OOM|MISCONF|READONLY|NOREPLICAS|NOPERM|CLUSTERDOWN|MASTERDOWN) /.test(wrong)) {
    throw new UnhealthyError(`redis takes no writes: ${wrong.split('. ')[0]}`);
  }
  if (said.length < ANSWERS.length || wrong !== undefined || version === undefined) {
    const words = wrong ?? lines.find((line) => /ERR|WRONGPASS|NOAUTH|LOADING|Could not connect/.test(line));
    throw new MooringError(`redis does not answer AUTH and PING: ${words ?? 'no answer'}`);
  }
  const degraded = reasons(lines);
  return { version, detail: 'AUTH and PING', ...(degraded.length > 0 ? { degraded } : {}) };
}

/** Why somebody has to see to a server that takes reads and writes, a sentence each; by what INFO tells. */
function reasons(lines: readonly string[]): string[] {
  const number = (name: string) => Number(told(lines, name) ?? 0);
  const text = (name: string) => told(lines, name) ?? '';
  const share = (part: string, whole: string) => (number(whole) > 0 ? number(part) / number(whole) : 0);
  const percent = (part: number) => `${Math.floor(part * 100)} %`;
  const memory = share('used_memory', 'maxmemory');
  const clients = share('connected_clients', 'maxclients');
  // From outside nobody sees it.
  const disk = told(lines, 'disk');
  return [
    ...(memory > NEARLY_FULL && text('maxmemory_policy') === 'noeviction'
      ? [`${percent(memory)} of maxmemory are used, and nothing is evicted`]
      : []),
    ...(clients > NEARLY_FULL ? [`${percent(clients)} of maxclients are connected`] : []),
    ...(disk === undefined ? [] : fullness(disk, DATA)),
    ...(text('rdb_last_bgsave_status') === 'err' ? ['the last dump could not be written'] : []),
    ...(text('aof_last_bgrewrite_status') === 'err' ? ['the append-only file could not be rewritten'] : []),
    ...(text('role') === 'slave' ? [`it is a replica of ${text('master_host')}`] : []),
  ];
}

function told(lines: readonly string[], name: string): string | undefined {
  return lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);
}
