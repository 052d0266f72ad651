import { z } from 'zod';
import { type CommandResult, script } from '../../engine/command.ts';
import { CommandError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { decode, EVALUATE, printed } from './erlang.ts';
import { type FileName, paths, UNIT } from './files.ts';

/** What the running node says of itself; `down` when its unit is not active, `unreachable` when it gave no answer. */
export type Running =
  | 'down'
  | 'unreachable'
  | {
      readonly name: string;
      /** Where its data is. */
      readonly data: string;
      /** Whether RabbitMQ runs in it; `rabbitmqctl stop_app` stops it and leaves the node. */
      readonly app: boolean;
      /** Fingerprint of the files that it was started with; `null` when it was started with files of somebody else. */
      readonly startedWith: string | null;
    };

/** Everything that the node's configuration is planned from. */
export type NodeFacts = {
  /** `null`: there is no such file. */
  readonly files: Readonly<Record<FileName, string | null>>;
  readonly active: string;
  readonly enabled: string;
  /** Names of the nodes that have data here. */
  readonly data: readonly string[];
  /** Addresses that the Erlang port mapper listens on, as /proc/net/tcp writes them. */
  readonly epmdListens: readonly string[];
  /** `null`: there is none. The digest is of the cookie without its line end. */
  readonly cookie: { readonly sha256: string; readonly mode: string; readonly owner: string } | null;
  readonly running: Running;
};

const FILES: readonly FileName[] = ['conf', 'env', 'inetrc', 'epmd'];

/** One process group for everything: most of the time of a look goes into starting programs. */
const LOOK = `unit=$1 data=$2 cookie=$3 conf=$4 env=$5 inetrc=$6 epmd=$7; shift 7
file() {
  if [ -e "$2" ]; then text=$(base64 -w0 "$2"); printf 'file %s %s.\\n' "$1" "$text"; else printf 'file %s absent\\n' "$1"; fi
}
file conf "$conf"; file env "$env"; file inetrc "$inetrc"; file epmd "$epmd"
for dir in "$data"/*@*; do
  case $dir in *-plugins-expand) continue ;; esac
  [ -d "$dir" ] || continue
  inside=$(ls -A "$dir")
  [ -z "$inside" ] || printf 'data %s\\n' "\${dir##*/}"
done
tables=/proc/net/tcp; [ ! -e /proc/net/tcp6 ] || tables="$tables /proc/net/tcp6"
awk '$4 == "0A" && $2 ~ /:1111$/ { print "epmd " $2 }' $tables
if [ -e "$cookie" ]; then
  sum=$(tr -d '\\n' <"$cookie" | sha256sum); mode=$(stat -c '%a %U:%G' "$cookie"); printf 'cookie %s %s\\n' "\${sum%% *}" "$mode"
fi
state=$(systemctl show --property=ActiveState,UnitFileState "$unit"); printf '%s\\n' "$state"
case $state in *ActiveState=active*) ;; *) exit 0 ;; esac
if said=$("$@"); then printf 'node %s.\\n' "$said"; else printf 'node unreachable\\n'; fi`;

const ABOUT = `#{name => node(), data => unicode:characters_to_binary(rabbit_mnesia:dir()), app => rabbit:is_running(),
 startedWith => case init:get_argument(mooring) of {ok, [[Sum]]} -> list_to_binary(Sum); _ -> null end}`;

const about = z.strictObject({ name: z.string(), data: z.string(), app: z.boolean(), startedWith: z.string().nullable() });

/** The node as it is. */
export const nodeFact: Fact<NodeFacts> = {
  name: 'node',
  command: script(
    'read',
    LOOK,
    [UNIT, paths.data, paths.cookie, ...FILES.map((name) => paths[name]), ...EVALUATE],
    { stdin: printed(ABOUT), timeoutMs: 30_000 },
  ),
  parse: parseNode,
};

function parseNode(result: CommandResult): NodeFacts {
  const { stdout } = mustSucceed(result, 'the state of RabbitMQ could not be read');
  const lines = stdout.split('\n').filter(Boolean);
  const known = /^(file|data|epmd|cookie|node) |^(ActiveState|UnitFileState)=/;
  const strange = lines.find((line) => !known.test(line));
  if (strange !== undefined) throw new CommandError(`unexpected line about RabbitMQ: ${strange}`);
  const all = (pattern: RegExp) => lines.flatMap((line) => [pattern.exec(line)]).filter((match) => match !== null);
  const one = (pattern: RegExp) => {
    const [match, second] = all(pattern);
    if (match === undefined || second !== undefined) throw new CommandError(`unexpected answer about RabbitMQ: ${stdout}`);
    return String(match[1]);
  };
  const file = (name: FileName) => {
    const text = one(new RegExp(`^file ${name} ([A-Za-z0-9+/=]*\\.|absent)$`));
    return text === 'absent' ? null : Buffer.from(text.slice(0, -1), 'base64').toString('utf8');
  };
  const active = one(/^ActiveState=(\w+)$/);
  return {
    files: { conf: file('conf'), env: file('env'), inetrc: file('inetrc'), epmd: file('epmd') },
    active,
    enabled: one(/^UnitFileState=([\w-]*)$/),
    data: all(/^data (.+)$/).map((match) => String(match[1])),
    epmdListens: all(/^epmd ([0-9A-F]+):1111$/).map((match) => String(match[1])),
    cookie: all(/^cookie ([0-9a-f]{64}) (\d+) (\S+)$/).map(([, sha256, mode, owner]) => ({ sha256: String(sha256), mode: String(mode), owner: String(owner) }))[0] ?? null,
    running: active === 'active' ? running(one(/^node ([A-Za-z0-9+/=]*\.|unreachable)$/)) : 'down',
  };
}

function running(said: string): Running {
  return said === 'unreachable' ? 'unreachable' : decode(said.slice(0, -1), about);
}
