/** What a program of the model answered. */
export type Answer = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Success, with what is printed. */
export function ok(stdout = ''): Answer {
  return { code: 0, stdout, stderr: '' };
}

/** Failure, in the words of the real tool. */
export function failed(stderr: string, code = 1): Answer {
  return { code, stdout: '', stderr: `${stderr}\n` };
}

/** A command that the model does not know: a fault of the test or of the model, never an answer. */
export class NotModelled extends Error {
  constructor(what: string) {
    super(`the model does not know: ${what}`);
    this.name = 'NotModelled';
  }
}

/** A failure of a program, thrown where it is found and answered where the program was called. */
export class ToolError extends Error {
  readonly answer: Answer;

  constructor(stderr: string, code = 1) {
    super(stderr);
    this.answer = failed(stderr, code);
  }
}

/** Runs a program's work; a {@link ToolError} is its answer. */
export function answered(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    if (error instanceof ToolError) return error.answer;
    throw error;
  }
}

/** Options as `getopt` reads them, up to the first word that is none. */
export type Options = {
  readonly flags: ReadonlySet<string>;
  readonly values: readonly (readonly [string, string])[];
  readonly rest: string[];
};

/**
 * @param flags letters without a value
 * @param valued letters that take one, in the same word or the next
 * @throws NotModelled for any other option
 */
export function options(argv: readonly string[], flags: string, valued: string): Options {
  const found = new Set<string>();
  const values: [string, string][] = [];
  let i = 0;
  for (; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === '--' || !word.startsWith('-') || word === '-') {
      if (word === '--') i++;
      break;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] as string;
      if (flags.includes(letter)) found.add(letter);
      else if (valued.includes(letter)) {
        values.push([letter, at + 1 < word.length ? word.slice(at + 1) : (argv[++i] ?? '')]);
        break;
      } else throw new NotModelled(`the option -${letter} of ${argv.join(' ')}`);
    }
  }
  return { flags: found, values, rest: argv.slice(i) };
}

/** The last value of an option. */
export function lastValue({ values }: Options, letter: string): string | undefined {
  return values.findLast(([name]) => name === letter)?.[1];
}
