import { Secret } from './secret.ts';

/**
 * One program call on a host. Data, not an action: planners build commands, hosts run them.
 * A secret may stand in `stdin` only; `argv` can be seen by every user of the host.
 */
export type Command = {
  /** Program and arguments; never a shell string. */
  readonly argv: readonly [string, ...string[]];
  /** What the program reads from its standard input; nothing when left out. */
  readonly stdin?: string | Secret;
  /** `read` changes nothing and may be repeated at will. */
  readonly effect: 'read' | 'write';
  /** The program is ended after this time, in milliseconds; the result's code is then 124 (as `timeout(1)`). */
  readonly timeoutMs?: number;
};

/** What one command answered. A command that was not run, because an earlier one of its sequence failed, has no result. */
export type CommandResult = {
  readonly command: Command;
  /** Exit code 0..255. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** A file of this machine that is to be put on a host. */
export type FileSpec = {
  /** Local path of the content. */
  readonly source: string;
  /** Where it goes, absolute. It is replaced in one step (write beside, then rename). */
  readonly path: string;
  /** Octal, such as `0755`. */
  readonly mode: string;
  /** `user:group` there. */
  readonly owner: string;
  /** Checked on the host before the rename. 64 hex digits. */
  readonly sha256: string;
};

/** Where commands run. Each `run` or `putFile` is one round trip. */
export interface Host {
  /** As messages name it: `local`, an SSH alias, `veza-local-redis on local`. */
  readonly name: string;
  /**
   * Runs a batch in one round trip.
   *
   * @param batch the commands
   * @param order `parallel` (default): all at once, one result each. `sequence`: one after the other; the first
   *   that fails is the last that has a result.
   * @throws HostError when the host could not be asked or its answer was cut: then nothing is known of what happened
   */
  run(batch: readonly Command[], order?: 'parallel' | 'sequence'): Promise<CommandResult[]>;
  /** Puts one file in place; see {@link FileSpec}. */
  putFile(file: FileSpec): Promise<void>;
}

/** A command that only looks. */
export function read(argv: readonly [string, ...string[]], options: Partial<Pick<Command, 'stdin' | 'timeoutMs'>> = {}): Command {
  return { argv, effect: 'read', ...options };
}

/** A command that changes something. */
export function write(argv: readonly [string, ...string[]], options: Partial<Pick<Command, 'stdin' | 'timeoutMs'>> = {}): Command {
  return { argv, effect: 'write', ...options };
}

/**
 * A POSIX shell script with parameters, as a command; parameters arrive as `$1`, `$2`, … and are never
 * part of the script's text. For what one program call cannot say, such as a wait loop.
 */
export function script(
  effect: Command['effect'],
  text: string,
  parameters: readonly string[] = [],
  options: Partial<Pick<Command, 'stdin' | 'timeoutMs'>> = {},
): Command {
  return { argv: ['sh', '-euc', text, 'sh', ...parameters], effect, ...options };
}

/**
 * Writes a small file in one step (write beside, then rename), its content on stdin and so free to hold secrets.
 *
 * @param file path absolute; mode octal (`0640`); owner `user:group`
 */
export function writeFile(file: { path: string; content: string | Secret; mode: string; owner: string }): Command {
  return script(
    'write',
    'umask 077; mkdir -p "$(dirname "$1")"; cat > "$1.mooring-new"; chown "$3" "$1.mooring-new"; chmod "$2" "$1.mooring-new"; mv -f "$1.mooring-new" "$1"',
    [file.path, file.mode, file.owner],
    { stdin: file.content },
  );
}

/** A file as it was found: content, octal mode (`640`), `user:group`. */
export type FoundFile = { readonly text: string; readonly mode: string; readonly owner: string };

/**
 * Puts a file back as it was found, or takes it away where there was none: what takes a written file back. Its content may hold secrets.
 * Where the former content is there still, as on a disk that is full, nothing is written. An owner without a name (stat(1), `UNKNOWN`) has none to give back.
 */
export function restoreFile(path: string, former: FoundFile | null): Command {
  if (former === null) return write(['rm', '-f', path, `${path}.mooring-new`]);
  return script(
    'write',
    `former=$(cat; echo .) mode=$2 owner=$3 new=$1.mooring-new; rm -f "$new"
give() { case $owner in *UNKNOWN*) ;; *) chown "$owner" "$1" ;; esac; chmod "$mode" "$1"; }
if [ "$former" = "$(cat "$1" 2>/dev/null; echo .)" ]; then give "$1"; exit 0; fi
umask 077; printf %s "\${former%.}" >"$new"; give "$new"; mv -f "$new" "$1"`,
    [path, former.mode, former.owner],
    { stdin: new Secret(former.text) },
  );
}

/** How a command reads in a message: on one line, arguments quoted where needed, long ones cut; stdin is never shown. */
export function showCommand(command: Command): string {
  return command.argv
    .map((word) => word.replaceAll(/\s+/g, ' '))
    .map((word) => (word.length > 120 ? `${word.slice(0, 119)}…` : word))
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
