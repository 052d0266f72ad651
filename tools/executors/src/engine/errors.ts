import { type CommandResult, showCommand } from './command.ts';
import { PAGES, type Page } from './pages.ts';

/** What an error of this project carries beside its message. Everything a reader needs at 3 a.m. */
export type ErrorDetail = {
  host?: string;
  instance?: string;
  /** Which step or stage was at work: `preflight`, `provision`, `config`. */
  step?: string;
  /** The command as shown, secrets not in it. */
  command?: string;
  code?: number;
  /** The last lines of stderr. */
  stderr?: string;
  /** What to type or do next. */
  next?: string;
  /** The page of the documentation that explains it. */
  page?: Page;
};

/** What to do after a run that ended in its middle. */
export const AGAIN = 'run the same command again: it looks first and does only what is missing';

/** A failure that is told to the user as it is, without a stack. */
export class MooringError extends Error {
  /** The page that explains every error of a class, if one does. */
  static readonly page: Page | undefined = undefined;
  readonly detail: ErrorDetail;

  constructor(message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.detail = new.target.page === undefined ? detail : { page: new.target.page, ...detail };
  }

  /** The same failure with more known about where it happened; what is known already stays. */
  with(more: ErrorDetail): this {
    Object.assign(this.detail, { ...more, ...definedOnly(this.detail) });
    return this;
  }
}

/** A value from a file, flag, variable or remote output is not what it must be. Nothing was touched. */
export class InputError extends MooringError {}

/** The host could not be asked, or its answer was cut off: nothing is known about what happened there. */
export class HostError extends MooringError {
  static override readonly page: Page | undefined = 'host';
}

/** A command ran and failed. */
export class CommandError extends MooringError {}

/**
 * A service was reached and says itself that the application cannot do its work: it is out of memory, read-only, blocked. A probe that throws
 * anything else does not know that: a service that was not reached may work for those who know its port and password.
 */
export class UnhealthyError extends MooringError {}

/** Going on could lose data, or touch what is not ours. */
export class SafetyError extends MooringError {}

/** What was asked for is not part of the environment: there is nothing to do, and that is no failure. */
export class NotPartError extends MooringError {}

/** Several problems, told at once. */
export class ProblemsError extends MooringError {
  readonly problems: readonly MooringError[];

  constructor(message: string, problems: readonly MooringError[]) {
    super(message);
    this.problems = problems;
  }

  override with(more: ErrorDetail): this {
    for (const problem of this.problems) problem.with(more.page === undefined ? {} : { page: more.page });
    return super.with(more);
  }
}

/** The last lines of a text, for messages. */
export function lastLines(text: string, lines = 6): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** The error for a command that failed. */
export function commandFailed(result: CommandResult, message: string, detail: ErrorDetail = {}): CommandError {
  return new CommandError(message, {
    command: showCommand(result.command),
    code: result.code,
    stderr: lastLines(result.stderr || result.stdout),
    ...detail,
  });
}

/** Gives back the result of a command that must have succeeded. @throws CommandError */
export function mustSucceed(result: CommandResult, message: string, detail: ErrorDetail = {}): CommandResult {
  if (result.code !== 0) throw commandFailed(result, message, detail);
  return result;
}

/** For `catch`: the same error, with the page that explains the work in which it was thrown, if it names none itself. */
export function explainedBy(page: Page): (error: unknown) => never {
  return (error) => {
    throw error instanceof MooringError ? error.with({ page }) : error;
  };
}

/** The error as text for a terminal: the message, then one indented line per detail, the last one with the page that explains it. */
export function showError(error: unknown): string {
  const pages = [...new Set(pagesOf(error))].map((page) => PAGES[page]);
  return [describe(error), ...(pages.length === 0 ? [] : [`  more:    ${pages.join(', ')}`])].join('\n');
}

/** What is not part of an environment needs no explanation. */
function pagesOf(error: unknown): Page[] {
  if (error instanceof NotPartError) return [];
  if (error instanceof ProblemsError) return error.problems.flatMap(pagesOf);
  if (!(error instanceof MooringError)) return ['internal'];
  return [error.detail.page ?? (error instanceof InputError ? 'command' : error instanceof CommandError ? 'failed' : 'all')];
}

function describe(error: unknown): string {
  if (error instanceof ProblemsError) {
    return [error.message, ...error.problems.map((problem, i) => `${i + 1}. ${describe(problem).replaceAll('\n', '\n   ')}`)].join('\n');
  }
  if (!(error instanceof MooringError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { host, instance, step, command, code, stderr, next } = error.detail;
  const where = [host && `host ${host}`, instance && `instance ${instance}`, step && `step ${step}`].filter(Boolean).join(', ');
  return [
    error.message,
    where && `  where:   ${where}`,
    command && `  command: ${command}${code === undefined ? '' : ` (exit code ${code})`}`,
    stderr && `  stderr:  ${stderr.replaceAll('\n', '\n           ')}`,
    next && `  next:    ${next}`,
  ]
    .filter(Boolean)
    .join('\n');
}

function definedOnly(detail: ErrorDetail): ErrorDetail {
  return Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== undefined));
}
