import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type MooringError, SafetyError } from '../engine/errors.ts';
import { runTool } from '../hosts/process.ts';

/** What a private file holds, or why it must not be used; nothing where there is none. */
export type PrivateFile = { readonly bytes: Buffer } | { readonly problems: MooringError[] } | undefined;

/**
 * Reads a file that must be ours alone: a plain file of this user, mode 0600 or narrower, not tracked by git.
 *
 * @param path absolute
 * @param shown the file as messages name it
 * @param leaked what else to do once it was in git
 */
export async function readPrivateFile(path: string, shown: string, leaked: string): Promise<PrivateFile> {
  let handle: FileHandle;
  try {
    // No symbolic link: what it points to may be tracked, or anybody's.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const why = code === 'ELOOP' ? 'it is a symbolic link' : code;
    return { problems: [new SafetyError(`${shown} is not read: ${why}`, { next: `ls -l ${shown}` })] };
  }
  try {
    const info = await handle.stat();
    if (!info.isFile())
      return { problems: [new SafetyError(`${shown} is not read: it is not a regular file`, { next: `ls -ld ${shown}` })] };
    const [problems, bytes] = await Promise.all([distrust(path, shown, info, leaked), handle.readFile()]);
    return problems.length > 0 ? { problems } : { bytes };
  } finally {
    await handle.close();
  }
}

/** Why the file must not be used: others can read it, it is not ours, or it is in git. */
async function distrust(
  path: string,
  shown: string,
  { mode, uid }: { mode: number; uid: number },
  leaked: string,
): Promise<MooringError[]> {
  const problems: MooringError[] = [];
  if ((mode & 0o7177) !== 0) {
    problems.push(
      new SafetyError(`${shown} can be used by others: its mode is 0${(mode & 0o7777).toString(8)}, not 0600`, {
        next: `chmod 600 ${shown}`,
      }),
    );
  }
  const me = process.getuid?.();
  if (uid !== me) problems.push(new SafetyError(`${shown} belongs to user ${uid}, and this is user ${me}`, { next: `ls -l ${shown}` }));
  if (await isTracked(path, shown)) {
    problems.push(
      new SafetyError(`${shown} is tracked by git: its secrets are in the history`, {
        next: `git rm --cached ${shown}, add it to .gitignore, and ${leaked}`,
      }),
    );
  }
  return problems;
}

async function isTracked(path: string, shown: string): Promise<boolean> {
  // Asked in the file's own folder: it may be in another repository than the workspace.
  const argv = ['git', '--literal-pathspecs', 'ls-files', '--error-unmatch', '--', basename(path)] as const;
  const { code, stderr } = await runTool(argv, { cwd: dirname(path) });
  if (code === 0) return true;
  if (code === 1 || /not a git repository/.test(stderr)) return false;
  throw new SafetyError(`git does not say whether ${shown} is tracked`, { command: argv.join(' '), code, stderr: stderr.trim() });
}
