import { showAbsent } from '../../report/absent.ts';
import type { Report } from '../../report/report.ts';
import type { Answer } from '../../shared/request.ts';

/** How a verb ended, as it is printed. */
export type Rendered = {
  readonly success: boolean;
  /** For the terminal, secrets not in it. */
  readonly output: string;
  /** Which of the projects failed; all of them when left out. */
  readonly failed?: readonly string[];
  /** What stands beside an output that is data, and not in it. */
  readonly beside: readonly string[];
};

/**
 * An answer as it is printed. What it lacks is told below it, or beside it where it is data, and then it is no success.
 *
 * @param asJson whether `--json` was given
 */
export function rendered<T, O>(report: Report<T, O>, answer: Answer<T>, options: O, asJson: boolean): Rendered {
  const { data, clean, failed, absent = new Map() } = answer;
  const text = clean.text(asJson ? report.json(data, clean) : report.text(data, options, clean));
  const told = [...absent].map(([name, error]) => clean.text(showAbsent(name, error)));
  const isData = asJson || report.isData === true;
  return {
    success: answer.success && absent.size === 0,
    output: isData ? text : [text, ...told].join('\n\n'),
    beside: isData ? told : [],
    ...(failed === undefined ? {} : { failed }),
  };
}

/** What `--out` writes, where it is not what is printed. */
export function fileContent<T, O>(report: Report<T, O>, { data, clean }: Answer<T>): string {
  return `${clean.text(report.json(data, clean))}\n`;
}
