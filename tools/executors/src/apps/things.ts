import type { Change } from '../engine/change.ts';
import { type Command, type CommandResult, script, write, writeFile } from '../engine/command.ts';
import { MooringError, mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { joinSecret, reveal, Secret } from '../engine/secret.ts';
import { shellProgram } from '../shell/program.ts';

export const HEADER = '# Written by nx-mooring: changes made here are undone by the next configure.\n';

/** A file, folder or symbolic link as it must be. */
export type Wanted =
  | { readonly kind: 'file'; readonly path: string; readonly content: string | Secret; readonly mode: string; readonly owner: string }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: string; readonly owner: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** What is at a path: `null` is nothing; a `file` is compared where it is, so that its content never leaves the guest. */
export type Found =
  | { readonly kind: 'file'; readonly mode: string; readonly owner: string; readonly same: boolean; readonly changed: number }
  | { readonly kind: 'folder'; readonly mode: string; readonly owner: string }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' }
  | null;

export type FoundThings = Readonly<Record<string, Found>>;

/** What is where these things are wanted. */
export function things(wanted: readonly Wanted[]): Fact<FoundThings> {
  const lines = wanted.map((thing) => (thing.kind === 'file' ? Buffer.from(reveal(thing.content)).toString('base64') : ''));
  return {
    name: 'files',
    command: script(
      'read',
      shellProgram(import.meta.url, 'look-at-things.sh'),
      wanted.map(({ path }) => path),
      { stdin: new Secret(lines.map((line) => `${line}\n`).join('')) },
    ),
    parse: (result) => parseThings(result, wanted),
  };
}

function parseThings(result: CommandResult, wanted: readonly Wanted[]): FoundThings {
  const lines = mustSucceed(result, 'files of the guest could not be looked at').stdout.split('\n').slice(0, -1);
  if (lines.length !== wanted.length) throw new MooringError('the answer about the files is not whole');
  return Object.fromEntries(lines.map((line, i) => [(wanted[i] as Wanted).path, parseThing(line, (wanted[i] as Wanted).path)]));
}

function parseThing(line: string, asked: string): Found {
  const [kind, path, first = '', second = '', third = '', fourth = ''] = line.split('\t');
  if (path === asked) {
    if (kind === 'none') return null;
    if (kind === 'other') return { kind };
    if (kind === 'link') return { kind, target: first };
    if (kind === 'folder' && second !== '') return { kind, mode: first, owner: second };
    if (kind === 'file' && (fourth === 'same' || fourth === 'differs'))
      return { kind, mode: first, owner: second, changed: Number(third), same: fourth === 'same' };
  }
  throw new MooringError(`unexpected line about a file: ${line}`);
}

/**
 * What makes them so. A thing of another kind in the way is refused, never replaced.
 *
 * @param place how a file's content is put in place, where it must be checked before
 */
export function planThings(wanted: readonly Wanted[], found: FoundThings, place: (file: WantedFile) => Command[] = placeFile): Change[] {
  return wanted.flatMap((thing): Change[] => {
    const now = found[thing.path];
    if (now === undefined) throw new MooringError(`nothing is known about ${thing.path}`);
    if (now !== null && now.kind !== thing.kind) {
      throw new MooringError(`${thing.path} is to be a ${thing.kind}, but it is a ${now.kind === 'other' ? 'special file' : now.kind}`, {
        next: `look what it is, and move it out of the way: mv ${thing.path} ${thing.path}.old`,
      });
    }
    const differences = differing(thing, now);
    if (differences === undefined) return [];
    return [
      {
        resource: `${thing.kind} ${thing.path}`,
        action: now === null ? 'create' : 'update',
        ...differences,
        impact: 'none',
        because: now === null ? 'not there' : 'differs from the settings',
        commands: thing.kind === 'file' ? place(thing) : [make(thing)],
      },
    ];
  });
}

export type WantedFile = Wanted & { readonly kind: 'file' };

const placeFile = ({ path, content, mode, owner }: WantedFile): Command[] => [writeFile({ path, content, mode, owner })];

/** Places a file once a program has found it good: `check` gets a file beside it, whose name it takes as `$1`. */
export function placeChecked(file: WantedFile, check: string): Command {
  return script(
    'write',
    `umask 077; new=$(mktemp "$1.XXXXXX"); trap 'rm -f "$new"' EXIT; cat >"$new"; chown "$3" "$new"; chmod "$2" "$new"
check() { ${check}; }
check "$new" >&2
mv -f "$new" "$1"`,
    [file.path, file.mode, file.owner],
    { stdin: file.content },
  );
}

function make(thing: Exclude<Wanted, WantedFile>): Command {
  if (thing.kind === 'folder') {
    const [user = '', group = ''] = thing.owner.split(':');
    return write(['install', '-d', '-m', thing.mode, '-o', user, '-g', group, thing.path]);
  }
  return script('write', 'ln -sfn "$2" "$1.mooring-new"; mv -fT "$1.mooring-new" "$1"', [thing.path, thing.target]);
}

function differing(thing: Wanted, now: Found): Pick<Change, 'before' | 'after'> | undefined {
  if (thing.kind === 'link') {
    if (now?.kind === 'link' && now.target === thing.target) return undefined;
    return { ...(now?.kind === 'link' ? { before: now.target } : {}), after: thing.target };
  }
  const { mode, owner } = thing;
  const content = thing.kind === 'file' ? { content: thing.content instanceof Secret ? '(secret)' : describe(thing.content) } : {};
  if (now === null || (now.kind !== 'file' && now.kind !== 'folder')) return { after: { mode, owner, ...content } };
  const before: Record<string, unknown> = {};
  const after: Record<string, unknown> = {};
  if (now.mode !== mode) [before.mode, after.mode] = [now.mode, mode];
  if (now.owner !== owner) [before.owner, after.owner] = [now.owner, owner];
  if (now.kind === 'file' && !now.same) [before.content, after.content] = ['differs', content.content];
  return Object.keys(after).length === 0 ? undefined : { before, after };
}

function describe(content: string): string {
  const lines = content.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.length === 1 ? String(lines[0]) : 'as the settings say';
}

/** Text that ends with a newline, which OpenSSH wants of a private key. */
export function endLine(text: Secret): Secret {
  return text.reveal().endsWith('\n') ? text : joinSecret([text, '\n']);
}
