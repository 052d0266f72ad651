import { type CommandResult, script } from '../engine/command.ts';
import { MooringError, mustSucceed } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import { reveal, Secret } from '../engine/secret.ts';
import { shellProgram } from '../shell/program.ts';
import { type Found, type FoundFiles, type Managed, refuseOtherKind } from './managed-file.ts';

/** What is where these things must be: one command for all of them. Contents are compared where they are. */
export function managedFiles(wanted: readonly Managed[]): Fact<FoundFiles> {
  const lines = wanted.map((thing) => (thing.kind === 'file' ? Buffer.from(reveal(thing.content)).toString('base64') : ''));
  return {
    name: 'files',
    command: script(
      'read',
      shellProgram(import.meta.url, 'managed-look.sh'),
      wanted.map(({ path }) => path),
      { stdin: new Secret(lines.map((line) => `${line}\n`).join('')) },
    ),
    parse: (result) => parseFiles(result, wanted),
  };
}

function parseFiles(result: CommandResult, wanted: readonly Managed[]): FoundFiles {
  const lines = mustSucceed(result, 'the files could not be looked at').stdout.split('\n').slice(0, -1);
  if (lines.length !== wanted.length) throw new MooringError('the answer about the files is not whole');
  return Object.fromEntries(lines.map((line, i) => [(wanted[i] as Managed).path, parseFile(line, (wanted[i] as Managed).path)]));
}

function parseFile(line: string, asked: string): Found {
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
 * Refuses what is no file where there must be one, for a look of a service's own.
 *
 * @param letter see {@link kindOf}
 * @throws MooringError
 */
export function mustBeFile(path: string, letter: string): void {
  refuseOtherKind({ path, kind: 'file' }, kindOf(letter));
}

/** The kind of a thing by the letter that `stat -c %.1A` tells, in every language: `-`, `l`, `d`, … */
export function kindOf(letter: string): NonNullable<Found>['kind'] {
  return letter === '-' ? 'file' : letter === 'l' ? 'link' : letter === 'd' ? 'folder' : 'other';
}
