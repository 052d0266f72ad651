import type { Change } from '../engine/change.ts';
import { type Command, restoreFile, script, write, writeFile } from '../engine/command.ts';
import { MooringError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import { keepFormer, restoreFormer } from './former.ts';

/** The first line of every file of ours whose comments begin with `#`. */
export const HEADER = '# Written by nx-mooring: changes made here are undone by the next configure.\n';

/** Who may do what with a file or folder: octal mode (`0640`), and `user:group`. */
export type Access = { readonly mode: string; readonly owner: string };

/** A file as it must be. */
export type ManagedFile = Access & { readonly kind: 'file'; readonly path: string; readonly content: string | Secret };

/** A file, folder or symbolic link as it must be. */
export type Managed =
  | ManagedFile
  | (Access & { readonly kind: 'folder'; readonly path: string })
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** What is at a path: `null` is nothing. */
export type Found =
  | (Access & {
      readonly kind: 'file';
      /** Whether its content is the one that it must have. */
      readonly same: boolean;
      /** Its content, where a look brings it. Without, it is compared where it is, and never leaves the container. */
      readonly text?: string;
      /** When it was changed, in seconds since 1970, where a look tells it. */
      readonly changed?: number;
    })
  | (Access & { readonly kind: 'folder' })
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' }
  | null;

/** What is found at each path. */
export type FoundFiles = Readonly<Record<string, Found>>;

/** What is particular about a file, beside its content, mode and owner. */
export type Handling = {
  /** What a plan shows of another content, and why it is changed; `former` where the look brought it. Left out: that it differs. */
  readonly show?: (former: string | undefined) => Partial<Pick<Change, 'before' | 'after' | 'because'>>;
  /** What puts its content in place, where a program must find it good before; see {@link placeChecked}. */
  readonly place?: (file: ManagedFile) => Command[];
  /** What has to happen whenever its content was changed, or put back: `systemctl daemon-reload`. It is done in the same change. */
  readonly follows?: readonly Command[];
  /** `false`: the change stays, whatever fails after it. */
  readonly takenBack?: false;
};

/**
 * What makes files, folders and links as they must be; nothing for those that are. Mode and owner alone are set without a touch to the content:
 * nothing has to read it again. A thing of another kind in the way is refused, never replaced. Pure.
 *
 * @param found as {@link managedFiles} tells it
 */
export function planFiles(wanted: readonly Managed[], found: FoundFiles, handling: Handling = {}): Change[] {
  return wanted.flatMap((thing) => {
    const now = found[thing.path];
    if (now === undefined) throw new MooringError(`nothing is known about ${thing.path}`);
    return planFile(thing, now, handling);
  });
}

/** {@link planFiles} for one of them. */
export function planFile(wanted: Managed, now: Found, handling: Handling = {}): Change[] {
  const what = differenceOf(wanted, now);
  if (what === undefined) return [];
  const { commands, undo } = what === 'access' ? setAccess(wanted as Access & Managed, now as Access) : put(wanted, now, handling);
  return [
    {
      resource: `${wanted.kind} ${wanted.path}`,
      action: now === null ? 'create' : 'update',
      ...shown(wanted, now, what, handling),
      impact: 'none',
      commands,
      ...(handling.takenBack === false ? {} : { undo }),
    },
  ];
}

/**
 * In what a thing is not as it must be: it is `missing`, it has another `content` (or, as a link, leads elsewhere), or only its mode or owner is
 * another (`access`); nothing where it is as it must be. Pure.
 *
 * @throws MooringError where something of another kind is in its place
 */
export function differenceOf(wanted: Managed, now: Found): 'missing' | 'content' | 'access' | undefined {
  if (now === null) return 'missing';
  refuseOtherKind(wanted, now.kind);
  if (wanted.kind === 'link') return now.kind === 'link' && now.target === wanted.target ? undefined : 'content';
  if (now.kind === 'file' && !now.same) return 'content';
  return sameAccess(wanted, now as Access) ? undefined : 'access';
}

/** @throws MooringError where what is there is of another kind than what must be there */
export function refuseOtherKind({ path, kind }: Pick<Managed, 'path' | 'kind'>, found: NonNullable<Found>['kind']): void {
  if (found === kind) return;
  throw new MooringError(`${path} is to be a ${kind}, but it is a ${found === 'other' ? 'special file' : found}`, {
    next: `look what it is, and move it out of the way: mv ${path} ${path}.old`,
  });
}

/** Places a file once a program has found it good: `check` gets a file beside it, whose name it takes as `$1`. */
export function placeChecked(file: ManagedFile, check: string): Command {
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

/** What puts a thing in place whatever is there, and what takes that back: for a change that is more than the file. */
export function put(
  wanted: Managed,
  now: Found,
  { place, follows = [], takenBack }: Handling = {},
): Required<Pick<Change, 'commands' | 'undo'>> {
  const commands = wanted.kind === 'file' ? (place?.(wanted) ?? [writeFile(wanted)]) : [make(wanted)];
  if (now === null)
    return { commands: [...commands, ...follows], undo: wanted.kind === 'folder' ? [] : [restoreFile(wanted.path, null), ...follows] };
  if (now.kind === 'link') return { commands: [...commands, ...follows], undo: [make({ ...now, path: wanted.path }), ...follows] };
  if (now.kind === 'file' && now.text === undefined && takenBack !== false)
    return { commands: [keepFormer(wanted.path), ...commands, ...follows], undo: [restoreFormer(wanted.path), ...follows] };
  const undo = now.kind === 'file' && now.text !== undefined ? [restoreFile(wanted.path, { ...now, text: now.text }), ...follows] : [];
  return { commands: [...commands, ...follows], undo };
}

/** A service that has read the content since does not have to read it once more, as it would if the file were written again. */
function setAccess({ path, ...wanted }: Access & { readonly path: string }, now: Access): Required<Pick<Change, 'commands' | 'undo'>> {
  const give = ({ mode, owner }: Access) => [write(['chown', owner, path]), write(['chmod', octal(mode), path])];
  // An owner whom the container does not know has no name that it could be given back to (stat(1)).
  return { commands: give(wanted), undo: now.owner.includes('UNKNOWN') ? give({ ...now, owner: wanted.owner }) : give(now) };
}

function make(thing: Exclude<Managed, ManagedFile>): Command {
  if (thing.kind === 'folder') {
    const [user = '', group = ''] = thing.owner.split(':');
    return write(['install', '-d', '-m', thing.mode, '-o', user, '-g', group, thing.path]);
  }
  return script('write', 'ln -sfn "$2" "$1.mooring-new"; mv -fT "$1.mooring-new" "$1"', [thing.path, thing.target]);
}

function shown(
  wanted: Managed,
  now: Found,
  what: 'missing' | 'content' | 'access',
  { show }: Handling,
): Pick<Change, 'before' | 'after' | 'because'> {
  if (wanted.kind === 'link') {
    const because = now === null ? 'not there' : 'differs from the settings';
    return { ...(now?.kind === 'link' ? { before: now.target } : {}), after: wanted.target, because };
  }
  const access = accessShown(wanted, now);
  if (what === 'access') return { ...access, because: 'its mode or owner is not what it should be' };
  const because = now === null ? 'not there' : 'differs from the settings';
  if (show !== undefined) {
    const { before, ...said } = show(now?.kind === 'file' ? now.text : undefined);
    return {
      because,
      ...said,
      ...(now === null || before === undefined ? {} : { before }),
      ...beside('before', before, access.before),
      ...beside('after', said.after, access.after),
    };
  }
  const content = wanted.kind === 'file' ? { content: describe(wanted.content) } : {};
  if (now === null) return { after: { mode: wanted.mode, owner: wanted.owner, ...content }, because };
  return { before: { ...access.before, content: 'differs' }, after: { ...access.after, ...content }, because };
}

/** What is shown of a content, with what differs in mode and owner beside it. */
function beside(
  name: 'before' | 'after',
  content: unknown,
  access: Partial<Access>,
): { readonly before?: unknown; readonly after?: unknown } {
  const pairs = Object.entries(access);
  if (pairs.length === 0) return {};
  if (Array.isArray(content)) return { [name]: [...content, ...pairs.map(([what, value]) => `${what} ${value}`)] };
  return { [name]: typeof content === 'object' || content === undefined ? { ...content, ...access } : { content, ...access } };
}

/** Mode and owner before and after, of these what differs. */
function accessShown(wanted: Access, now: Found): { before: Partial<Access>; after: Partial<Access> } {
  if (now === null || !('mode' in now)) return { before: {}, after: {} };
  const mode = octal(now.mode) !== octal(wanted.mode);
  const owner = now.owner !== wanted.owner;
  const of = (access: Access) => ({ ...(mode ? { mode: octal(access.mode) } : {}), ...(owner ? { owner: access.owner } : {}) });
  return { before: of(now), after: of(wanted) };
}

function sameAccess(one: Access, other: Access): boolean {
  return octal(one.mode) === octal(other.mode) && one.owner === other.owner;
}

/** `640` and `0640` are one mode. */
function octal(mode: string): string {
  return mode.padStart(4, '0');
}

function describe(content: string | Secret): string {
  if (content instanceof Secret) return '(secret)';
  const lines = content.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.length === 1 ? String(lines[0]) : 'as the settings say';
}
