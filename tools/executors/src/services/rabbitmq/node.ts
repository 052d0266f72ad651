import { z } from 'zod';
import { type CommandResult, type FoundFile, script } from '../../engine/command.ts';
import { CommandError, mustSucceed } from '../../engine/errors.ts';
import type { Fact } from '../../engine/fact.ts';
import { shellProgram } from '../../shell/program.ts';
import { mustBeFile } from '../managed-look.ts';
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
  readonly files: Readonly<Record<FileName, FoundFile | null>>;
  readonly active: string;
  readonly enabled: string;
  /** Names of the nodes that have data here. */
  readonly data: readonly string[];
  /** Addresses that the Erlang port mapper listens on, as /proc/net/tcp writes them. */
  readonly epmdListens: readonly string[];
  /** `null`: there is none, or it was not looked at. The digest is of the cookie without its line end. */
  readonly cookie: { readonly sha256: string; readonly mode: string; readonly owner: string } | null;
  readonly running: Running;
};

const FILES: readonly FileName[] = ['conf', 'env', 'inetrc', 'epmd', 'order'];

const ABOUT = `#{name => node(), data => unicode:characters_to_binary(rabbit_mnesia:dir()), app => rabbit:is_running(),
 startedWith => case init:get_argument(mooring) of {ok, [[Sum]]} -> list_to_binary(Sum); _ -> null end}`;

const about = z.strictObject({ name: z.string(), data: z.string(), app: z.boolean(), startedWith: z.string().nullable() });

/**
 * The node as it is.
 *
 * @param withCookie whether the cookie is looked at
 */
export function nodeFact(withCookie: boolean): Fact<NodeFacts> {
  const parameters = [UNIT, paths.data, withCookie ? paths.cookie : '', ...FILES.map((name) => paths[name]), ...EVALUATE];
  return {
    name: 'node',
    command: script('read', shellProgram(import.meta.url, 'look-at-node.sh'), parameters, { stdin: printed(ABOUT), timeoutMs: 30_000 }),
    parse: parseNode,
  };
}

function parseNode(result: CommandResult): NodeFacts {
  const { stdout } = mustSucceed(result, 'the state of RabbitMQ could not be read');
  const lines = stdout.split('\n').filter(Boolean);
  const known = /^(file|texts|data|epmd|cookie|node) |^(ActiveState|UnitFileState)=/;
  const strange = lines.find((line) => !known.test(line));
  if (strange !== undefined) throw new CommandError(`unexpected line about RabbitMQ: ${strange}`);
  const all = (pattern: RegExp) => lines.flatMap((line) => [pattern.exec(line)]).filter((match) => match !== null);
  const one = (pattern: RegExp) => {
    const [match, second] = all(pattern);
    if (match === undefined || second !== undefined) throw new CommandError(`unexpected answer about RabbitMQ: ${stdout}`);
    return String(match[1]);
  };
  const found = all(/^file (\S+) (\d+) ([0-7]+) (\S+:\S+) (\S)$/).map(([, path, size, mode, owner, letter]): Listed => {
    mustBeFile(String(path), String(letter));
    return { path: String(path), size: Number(size), mode: String(mode), owner: String(owner) };
  });
  const active = one(/^ActiveState=(\w+)$/);
  return {
    files: cutTexts(found, found.length > 0 ? one(/^texts ([A-Za-z0-9+/=]*)\.$/) : ''),
    active,
    enabled: one(/^UnitFileState=([\w-]*)$/),
    data: all(/^data (.+)$/).map((match) => String(match[1])),
    epmdListens: all(/^epmd ([0-9A-F]+):1111$/).map((match) => String(match[1])),
    cookie:
      all(/^cookie ([0-9a-f]{64}) (\d+) (\S+)$/).map(([, sha256, mode, owner]) => ({
        sha256: String(sha256),
        mode: String(mode),
        owner: String(owner),
      }))[0] ?? null,
    running: active === 'active' ? running(one(/^node ([A-Za-z0-9+/=]*\.|unreachable)$/)) : 'down',
  };
}

type Listed = { readonly path: string; readonly size: number; readonly mode: string; readonly owner: string };

/** Cuts the texts apart that came as one. @throws CommandError when they are not whole */
function cutTexts(listed: readonly Listed[], encoded: string): NodeFacts['files'] {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== listed.reduce((sum, { size }) => sum + size, 0))
    throw new CommandError('the files of RabbitMQ could not be read as a whole');
  let offset = 0;
  const files = new Map(
    listed.map(({ path, size, mode, owner }) => {
      offset += size;
      return [path, { text: bytes.subarray(offset - size, offset).toString('utf8'), mode, owner }];
    }),
  );
  const file = (name: FileName) => files.get(paths[name]) ?? null;
  return { conf: file('conf'), env: file('env'), inetrc: file('inetrc'), epmd: file('epmd'), order: file('order') };
}

function running(said: string): Running {
  return said === 'unreachable' ? 'unreachable' : decode(said.slice(0, -1), about);
}
