import { type Command, type CommandResult, read } from './command.ts';
import { AGAIN, HostError, lastLines } from './errors.ts';
import { quote } from './quote.ts';
import { joinSecret, reveal, Secret } from './secret.ts';

/**
 * Many commands as one: a `sh -s` whose standard input is a script that runs them and frames their answers.
 * Bundles nest, so the facts of sixteen containers and of their host are one command too. POSIX sh and coreutils only.
 *
 * The frame is the byte counts of every answer (`wc -c`), then all answers as base64: two processes for any number
 * of commands, and no byte of any output can be taken for a frame.
 */
export function bundle(commands: readonly Command[], order: 'parallel' | 'sequence' = 'parallel'): Command {
  const names = commands.map((_, i) => frameName(i));
  const run =
    order === 'parallel'
      ? ['for i in', ...names, '; do one $i & done; wait']
      : ['for i in', ...names, '; do one $i & wait $!; read -r s <"$d/$i.code"; [ "$s" = 0 ] || break; done'];
  const stdin = joinSecret([
    // What a shell left that was killed: its answers may hold what nobody must find.
    'for d in /run/mooring.[0-9]*.??????; do p=${d#*.}; [ ! -d "$d" ] || [ -d "/proc/${p%%.*}" ] || rm -rf "$d"; done\n',
    // tmpfs first: the answers may hold what must not reach a disk, and a full disk must not stop a diagnosis.
    'd=$(mktemp -d "/run/mooring.$$.XXXXXX" 2>/dev/null || mktemp -d /dev/shm/mooring.XXXXXX 2>/dev/null || mktemp -d) || exit 125\n',
    // A signal that ends our caller comes here too (incus exec hands it on). Then the answer is given up at once, and what runs is not
    // ended with us: half an installation is worse than one that nobody waits for.
    "trap 'rm -rf \"$d\"' EXIT\ntrap 'exit 143' HUP INT TERM\ncd /\n",
    'one() { "c$1" >"$d/$1.out" 2>"$d/$1.err" </dev/null; echo $? >"$d/$1.code"; }\n',
    ...commands.flatMap((command, i) => [`c${frameName(i)}() { `, shellText(command), '; }\n']),
    `${run.join(' ')}\n`,
    'cd "$d" && LC_ALL=C && export LC_ALL && wc -c -- * && cat -- * | base64 -w0\n',
  ]);
  return { ...read(['sh', '-s'], { stdin }), effect: commands.some(({ effect }) => effect === 'write') ? 'write' : 'read' };
}

/**
 * Takes the answer to {@link bundle} apart: one result per command, in order; shorter when a sequence ended early.
 *
 * @throws HostError when the answer is not whole: then it is unknown what was done
 */
export function unbundle(result: CommandResult, commands: readonly Command[], host: string): CommandResult[] {
  if (commands.length === 0) return [];
  const cut = (why: string) =>
    new HostError(`${host} gave no whole answer: ${why}. It is unknown whether the last commands were done.`, {
      host,
      code: result.code,
      stderr: lastLines(result.stderr || result.stdout),
      next: AGAIN,
    });
  if (result.code !== 0) throw cut('the shell that runs the commands failed');
  const lines = result.stdout.split('\n');
  const body = Buffer.from(lines.pop() ?? '', 'base64');
  const answers = new Map<string, string>();
  let offset = 0;
  for (const line of lines) {
    const [, size, name] = /^\s*(\d+) (.+)$/.exec(line) ?? [];
    if (size === undefined || name === undefined) throw cut(`unexpected line ${JSON.stringify(line)}`);
    if (name === 'total') continue;
    answers.set(name, body.subarray(offset, offset + Number(size)).toString('utf8'));
    offset += Number(size);
  }
  if (offset !== body.length) throw cut(`${body.length} bytes came, ${offset} were sent`);
  const results: CommandResult[] = [];
  for (const [i, command] of commands.entries()) {
    const code = answers.get(`${frameName(i)}.code`);
    if (code === undefined) break;
    results.push({
      command,
      code: exitCode(command, Number(code)),
      stdout: answers.get(`${frameName(i)}.out`) ?? '',
      stderr: answers.get(`${frameName(i)}.err`) ?? '',
    });
  }
  if (results.length === 0) throw cut('no command was run');
  return results;
}

/** A program that did not heed TERM is ended by KILL, which `timeout -k` (coreutils) tells as 137 and not as 124. */
function exitCode({ timeoutMs }: Command, code: number): number {
  return timeoutMs !== undefined && code === 137 ? 124 : code;
}

/** The command as shell text. Its stdin goes through a builtin and a pipe: never an argument of a process. */
function shellText(command: Command): Secret {
  const limit = command.timeoutMs === undefined ? '' : `timeout -k 5 ${command.timeoutMs / 1000} `;
  const call = `${limit}${command.argv.map(quote).join(' ')}`;
  if (command.stdin === undefined) return joinSecret([call]);
  return joinSecret([`printf %s '`, base64(command.stdin), `' | base64 -d | ${call}`]);
}

function base64(text: string | Secret): Secret {
  return new Secret(Buffer.from(reveal(text)).toString('base64'));
}

function frameName(index: number): string {
  return String(index).padStart(5, '0');
}
