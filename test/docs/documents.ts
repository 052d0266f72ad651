import { execFileSync } from 'node:child_process';
import { type Document, documentOf, ROOT } from './markdown.ts';

/** Every document of the repository, those that are not committed yet too. */
export const documents: readonly Document[] = execFileSync('git', ['ls-files', '-coz', '--exclude-standard', '--deduplicate', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\0')
  .filter(Boolean)
  .map(documentOf);
