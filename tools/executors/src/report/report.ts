import type { CleanText, Redactor } from '../engine/redactor.ts';

/**
 * How the answer of a verb is shown. What comes as a plain text is yet to be searched for secrets.
 *
 * @typeParam T what the verb answers with
 * @typeParam O its options
 * @typeParam P what is shown before a person is asked
 */
export type Report<T, O, P = never> = {
  /** For a reader. */
  text(data: T, options: O, clean: Redactor): string | CleanText;
  /** For a program. */
  json(data: T, clean: Redactor): CleanText;
  /** What a person is asked about. */
  preview?(data: P): string;
  /** Whether `text` is for programs too, as an inventory is: nothing else may stand in it. */
  readonly isData?: true;
  /** Mode of the file that `--out` writes; what the umask leaves when left out. */
  readonly mode?: number;
};
