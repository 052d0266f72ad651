import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foundIn } from './e2e/trace.ts';

/** The files that git tracks in a workspace and that are there, with their content. */
export function committedFiles(root: string): { file: string; text: string }[] {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  return files.flatMap((file) => {
    try {
      return [{ file, text: readFileSync(join(root, file), 'latin1') }];
    } catch (error) {
      if (!['ENOENT', 'EISDIR'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
      // A folder of another repository, or a file that is deleted and not committed yet.
      return [];
    }
  });
}

/** Where a tracked file holds one of the secrets, in clear or only encoded: `file: name`. */
export function foundInCommitted(root: string, secrets: Readonly<Record<string, string>>): string[] {
  return committedFiles(root).flatMap(({ file, text }) => foundIn(text, secrets).map((name) => `${file}: ${name}`));
}
