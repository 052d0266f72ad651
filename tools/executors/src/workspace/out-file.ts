import { accessSync, constants, readlinkSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError, MooringError } from '../engine/errors.ts';
import { quote } from '../engine/quote.ts';

/**
 * Where `--out` leads. What can be known of it is asked before a host is: whoever waits for an answer must not lose it at the end.
 *
 * @param out as typed: absolute, or relative to the workspace
 * @returns an absolute path
 * @throws InputError where nothing can be written
 */
export function outFile(root: string, out: string): string {
  const path = resolve(root, out);
  const because = whyNot(path, out.endsWith('/'));
  if (because === undefined) return path;
  throw new InputError(`cannot write --out=${out}: ${because.cause}`, { next: because.next });
}

type Refusal = { readonly cause: string; readonly next: string };

function whyNot(path: string, isFolder: boolean): Refusal | undefined {
  const found = statOf(path);
  // A link is written through.
  const folder = dirname(found === undefined ? leadsTo(path) : path);
  const above = statOf(folder);
  if (isFolder || found?.isDirectory()) return { cause: `${path} is a folder`, next: `name a file in it: --out=${path}/<file>` };
  if (above === undefined) return { cause: `there is no folder ${folder}`, next: makeFolder(folder) };
  if (!above.isDirectory()) return { cause: `${folder} is not a folder`, next: 'name a file in another folder' };
  const denied = found === undefined ? (faultOf(path) ?? denial(folder)) : denial(path);
  if (denied === undefined) return undefined;
  return { cause: `${path} cannot be written (${denied})`, next: 'name a file in a folder of yours, or change its owner or mode' };
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // What stands in the way, such as a file in the place of a folder, is told of the folder.
    return undefined;
  }
}

/** No shell expands the `~` of `--out=~/plan.json`. */
function makeFolder(folder: string): string {
  return /\/~(?:\/|$)/.test(folder) ? 'write "$HOME" in place of ~, which no shell expands there' : `mkdir -p ${quote(folder)}`;
}

/** Where a link that leads nowhere yet leads to; else the path. */
function leadsTo(path: string): string {
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return path;
  }
}

/** Why a file that is not there can never be: its name is too long, or it is a link to itself. */
function faultOf(path: string): string | undefined {
  try {
    statSync(path);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? undefined : code;
  }
}

function denial(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'no reason given';
  }
}

/** Writes an answer to where {@link outFile} leads. @throws MooringError with the reason of the system */
export async function writeOut(path: string, content: string, mode = 0o666): Promise<void> {
  await writeFile(path, content, { mode }).catch((error: NodeJS.ErrnoException) => {
    throw new MooringError(`cannot write ${path}: ${error.code ?? error.message}`, {
      page: 'command',
      next: 'name another file: --out=<file>; nothing was changed on a host',
    });
  });
}
