import { type CommandResult, read, script } from '../engine/command.ts';
import { InputError, lastLines } from '../engine/errors.ts';
import type { Fact } from '../engine/fact.ts';
import type { Secret } from '../engine/secret.ts';
import { shellProgram } from '../shell/program.ts';
import { type Listener, printListeners, takeListeners } from './listeners.ts';
import { whyNoAnswer } from './sandbox.ts';

/** What a product says of a file that it has not been given yet, and what listens in the container; see {@link TrialOptions.ports}. */
export type Trial = Verdict & { readonly listeners?: readonly Listener[] };

type Verdict =
  /** The file would not change: nothing was tried. */
  | { readonly state: 'unchanged' }
  /** It takes the file; `said` is what the program printed. */
  | { readonly state: 'taken'; readonly said: string }
  /** It refuses the file, in its own words. */
  | { readonly state: 'refused'; readonly reason: string }
  /** It could not be asked, or was not with `--skip-trial`, which is no reason to refuse the file. */
  | { readonly state: 'untried'; readonly because: string; readonly bySkipTrial?: true };

/** What is tried, and how. */
export type TrialOptions = {
  /** As messages name it: `trial of /etc/redis/redis.conf`. */
  readonly name: string;
  /**
   * The file that would take this content, as a shell pattern; or several that would take one part of it each, with blanks between them.
   * Where it is there already, nothing is tried.
   */
  readonly path: string;
  /** What the file would hold. It reaches the program on its stdin. */
  readonly content: string | Secret;
  /**
   * Files that the program reads and that are not for every user, as shell patterns with blanks between them. They are handed over in
   * `$CREDENTIALS_DIRECTORY`, by their base names; one that is not there is left out.
   */
  readonly credentials?: string;
  /** A user that is in /etc/passwd, for a program that looks itself up there; it may write no more than another. Only `nobody` owns nothing. */
  readonly user?: 'nobody';
  /**
   * POSIX shell text that has the product read the content, in an empty folder of its own. Exit code 0: taken; {@link REFUSED}: refused, with
   * the reason on stderr; any other: it could not be tried. `$TRIAL_MEMORY_KB` is the container's memory: what it may use itself is far less.
   */
  readonly program: string;
  /** `$1`, `$2`, … of the program; they must hold no secret. */
  readonly parameters?: readonly string[];
  /** How long it may take, in seconds. */
  readonly seconds: number;
  /**
   * Where the service takes its ports: what listens in the container is looked at too, where the content or one of the further files is not there
   * already, or where the unit has no process. It may be a pattern, as `postgresql@*-main.service`.
   */
  readonly ports?: { readonly unit: string; readonly files?: Readonly<Record<string, string>> };
};

/** The flag that has nothing tried, as its user types it. */
export const SKIP_TRIAL = '--skip-trial';

/** Exit code of a program whose product refuses the content (EX_DATAERR of sysexits.h). */
export const REFUSED = 65;
/** Exit code of trial.sh where there is nothing to try. */
const UNCHANGED = 10;
/** Of what stands in its place with {@link SKIP_TRIAL}. trial.sh gives neither for what the program says. */
const SKIPPED = 11;

/**
 * Whether a product takes a file, asked beside the live service before the file is put in place. It changes nothing.
 *
 * @returns a fact whose verdict never throws: what could not be tried is told as that
 */
export function trial(options: TrialOptions): Fact<Trial> {
  const { name, path, content, credentials = '', user = '', program, parameters = [], seconds, ports } = options;
  const files = Object.entries(ports?.files ?? {});
  const watched = [ports?.unit ?? '', files.map(([file]) => file).join(' '), files.map(([, text]) => text).join('')];
  return {
    name,
    command: script(
      'read',
      `${printListeners()}\n${shellProgram(import.meta.url, 'trial.sh')}`,
      [path, credentials, user, String(seconds), ...watched, ...[program, ...parameters].map(asItIs)],
      {
        stdin: content,
        timeoutMs: (seconds + 10) * 1000,
      },
    ),
    parse(result) {
      const { listeners, rest } = takeListeners(result.stdout);
      const verdict = parseVerdict({ ...result, stdout: rest });
      return listeners.length === 0 ? verdict : { ...verdict, listeners };
    },
    withoutTrial: read(['sh', '-c', `exit ${SKIPPED}`]),
  };
}

/**
 * What a trial comes to for a plan.
 *
 * @param product as its users name it: `PostgreSQL 15`
 * @returns warnings for the change that writes what could not be tried; none where it was, or need not be
 * @throws InputError where the product refuses it
 */
export function judged(trial: Trial, product: string): readonly string[] {
  if (trial.state === 'refused') {
    throw new InputError(`${product} does not take these settings, and none of them was written: ${trial.reason}`, {
      next: `correct the settings in container.json, then run the same command again; if they are right and the trial is wrong: ${SKIP_TRIAL}`,
    });
  }
  if (trial.state !== 'untried') return [];
  return [`${trial.bySkipTrial ? 'not' : 'could not be'} tried beforehand: ${trial.because.replaceAll('\n', '; ')}`];
}

/** For systemd, which would put a variable of the unit's environment in the place of `${name}` (systemd.service(5), "Command lines"). */
function asItIs(argument: string): string {
  return argument.replaceAll('$', () => '$$');
}

function parseVerdict({ code, stdout, stderr }: CommandResult): Verdict {
  if (code === UNCHANGED) return { state: 'unchanged' };
  if (code === SKIPPED) return { state: 'untried', because: SKIP_TRIAL, bySkipTrial: true };
  if (code === 0) return { state: 'taken', said: stdout };
  const words = lastLines(stderr || stdout).trim();
  if (code === REFUSED) return { state: 'refused', reason: words };
  return { state: 'untried', because: words === '' ? whyNoAnswer(code) : words };
}
