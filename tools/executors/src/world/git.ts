import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { InputError, lastLines } from '../engine/errors.ts';
import { quote } from '../engine/quote.ts';
import type { FileVersion, HistoryUnknown } from '../workspace/hosts.ts';
import type { GitState } from '../workspace/release.ts';

const run = promisify(execFile);

/** Nobody waits longer for a git that waits itself: for a file system, or for a helper of its configuration. */
const LIMIT_MS = 30_000;

/**
 * Asks git for HEAD and for what is not committed, both at once.
 *
 * @param root the workspace, absolute
 * @returns the state, or the error that says why there is none; it is the caller's to throw
 */
export async function readGit(root: string, limitMs = LIMIT_MS): Promise<GitState | InputError> {
  try {
    const [head, status] = await Promise.all([
      git(root, ['rev-parse', '--verify', 'HEAD'], { limitMs }),
      // Untracked files count, whatever the user's configuration says: an untracked container.json is deployed like any other.
      git(root, ['status', '--porcelain', '-z', '--untracked-files=normal', '--no-renames'], { limitMs }),
    ]);
    return {
      head: head.trimEnd(),
      changes: status
        .split('\0')
        .filter(Boolean)
        .map((entry) => entry.slice(3)),
    };
  } catch (error) {
    return whyNot(root, error as NodeJS.ErrnoException & { stderr?: string });
  }
}

/** The release may be named without git; what is in the work tree then nobody can say. */
const WITHOUT = 'without git: --release=<40 hex digits>, and --allow-dirty outside local';

/** What git's refusal means, by its words in the C locale. */
function whyNot(root: string, { code, stderr = '', message }: NodeJS.ErrnoException & { stderr?: string }): InputError {
  const refused = (cause: string, next: string) => new InputError(`git cannot say which release this is: ${cause}`, { next });
  if (code === 'ENOENT') return refused('it is not installed on this machine', `install git; or ${WITHOUT}`);
  if (stderr.includes('Needed a single revision'))
    return refused('this repository, or the branch that is checked out, has no commit yet', 'git add --all && git commit');
  // A worktree or a submodule, of which a container of a CI sees the folder alone.
  const [, elsewhere] = /not a git repository: (\S.*)/.exec(stderr) ?? [];
  if (elsewhere !== undefined)
    return refused(
      `${root} is a worktree or a submodule, and its repository ${elsewhere} is not there`,
      `give this machine that folder too, or git worktree repair; or ${WITHOUT}`,
    );
  if (stderr.includes('not a git repository'))
    return refused(`${root} is not inside a git repository`, `git init, then commit; or ${WITHOUT}`);
  const [, owned] = /dubious ownership in repository at '(.+)'/.exec(stderr) ?? [];
  if (owned !== undefined)
    return refused(
      `${owned} belongs to another user`,
      `git config --global --add safe.directory ${quote(owned)}, if you trust who owns it`,
    );
  return new InputError('git cannot say which release this is', { stderr: lastLines(stderr || message, 3), next: WITHOUT });
}

/**
 * Every version of a file that the history of HEAD has, newest first; none of a file that was never committed.
 *
 * @param root the workspace, absolute
 * @param path relative to it
 * @returns or why the history is not known: a shallow clone lacks it
 */
export async function readVersions(root: string, path: string): Promise<FileVersion[] | HistoryUnknown> {
  try {
    const [shallow, log] = await Promise.all([
      git(root, ['rev-parse', '--is-shallow-repository']),
      git(root, ['log', '--full-history', '--format=%H', '--', path]),
    ]);
    if (shallow.trim() !== 'false')
      return { unknown: 'this clone is shallow: it lacks the history of the file', next: 'git fetch --unshallow' };
    const commits = log.split('\n').filter(Boolean);
    if (commits.length === 0) return [];
    const objects = await git(root, ['cat-file', '--batch'], { stdin: commits.map((commit) => `${commit}:./${path}\n`).join('') });
    return versionsIn(Buffer.from(objects), commits);
  } catch (error) {
    const { stderr = '', message = '' } = error as { stderr?: string; message?: string };
    const fatal = stderr.split('\n').find((line) => line.startsWith('fatal: '));
    return { unknown: `git does not report the history of the file: ${fatal ?? lastLines(stderr || message, 1)}` };
  }
}

/** What `git cat-file --batch` gives: of each object a line with its size, and its content; `missing` where a commit took the file away. */
function versionsIn(objects: Buffer, commits: readonly string[]): FileVersion[] {
  let at = 0;
  return commits.flatMap((commit): FileVersion[] => {
    const end = objects.indexOf('\n', at);
    const head = objects.subarray(at, end).toString();
    at = end + 1;
    if (head.endsWith(' missing')) return [];
    const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(head)?.[1] ?? Number.NaN);
    if (end < 0 || Number.isNaN(size)) throw new Error(`git cat-file: ${JSON.stringify(head)} is not understood`);
    const text = objects.subarray(at, at + size).toString();
    at += size + 1;
    return [{ commit, text }];
  });
}

async function git(root: string, args: readonly string[], { stdin = '', limitMs = LIMIT_MS } = {}): Promise<string> {
  const ended = run('git', ['-C', root, ...args], { env: environment(), maxBuffer: 64 * 1024 * 1024, timeout: limitMs });
  // A git that has ended before it read all says why by its exit code.
  ended.child.stdin?.on('error', () => {}).end(stdin);
  try {
    return (await ended).stdout;
  } catch (error) {
    if (!(error as { killed?: boolean }).killed) throw error;
    throw Object.assign(error as Error, { stderr: `git ${args[0]} gave no answer within ${limitMs / 1000} s` });
  }
}

/** Where git's own configuration stands, with `safe.directory`: a CI may give it by variables alone. */
const OF_GIT = /^(?:XDG_CONFIG_HOME|GIT_CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+))$/;

function environment(): Record<string, string> {
  const own = Object.entries(process.env).flatMap(([name, value]) => (OF_GIT.test(name) && value !== undefined ? [[name, value]] : []));
  return {
    ...Object.fromEntries(own),
    ...{ PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/', LC_ALL: 'C' },
    // A look must not disturb a commit, and asks nobody.
    ...{ GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' },
  };
}
