import type { z } from 'zod';
import { didYouMean } from '../engine/did-you-mean.ts';
import { InputError, type MooringError, ProblemsError } from '../engine/errors.ts';
import { quote } from '../engine/quote.ts';
import { Secret } from '../engine/secret.ts';
import { alternative, expectation, fieldOf, ruleOfText } from './expectation.ts';

/** A value and where it came from, for messages. */
export type Source = {
  /** `infra/environments/local.json`, or `option` for the command line. */
  readonly file: string;
  /** Path of the value inside the file: `['containers', 'redis', 'settings']`. */
  readonly under?: readonly PropertyKey[];
  /** The fields are options of a command line. */
  readonly flags?: true;
};

/**
 * Parses a value, or says of every field that is wrong: file, field, what was found, what was expected, an example.
 *
 * @returns the parsed value, or the problems; never both
 */
export function parseAll<S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: Source,
): { value: z.output<S> } | { problems: InputError[] } {
  const result = schema.safeParse(value);
  return result.success
    ? { value: result.data }
    : { problems: withoutEchoes(result.error.issues).flatMap((issue) => describe(issue, schema, value, source)) };
}

/** Of a value that has the wrong type zod tells the length, too, where it has one. */
function withoutEchoes(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const at = ({ path }: z.core.$ZodIssue) => path.map(String).join('\n');
  const mistyped = new Set(issues.filter(({ code }) => code === 'invalid_type').map(at));
  return issues.filter((issue) => issue.code !== 'too_small' || !mistyped.has(at(issue)));
}

/** As {@link parseAll}, for one value on whose problems the work ends. @throws as {@link refuse} */
export function mustParse<S extends z.ZodType>(schema: S, value: unknown, source: Source, what = source.file): z.output<S> {
  const result = parseAll(schema, value, source);
  if ('value' in result) return result.value;
  throw refusal(result.problems, what);
}

/** Throws one error for all problems; nothing when there are none. @throws ProblemsError, or the one problem itself */
export function refuse(problems: readonly MooringError[], what: string): void {
  if (problems.length > 0) throw refusal(problems, what);
}

/** One error for all problems: a ProblemsError, or the one problem itself. */
export function refusal(problems: readonly MooringError[], what: string): MooringError {
  const each = distinct(problems);
  return each.length === 1 ? (each[0] as MooringError) : new ProblemsError(`${what}: ${each.length} problems`, each);
}

/** Each problem once: a file is checked for every environment. */
export function distinct<P extends MooringError>(problems: readonly P[]): P[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown, source: Source): InputError[] {
  if (issue.code === 'unrecognized_keys') {
    const fields = Object.keys(alternative(fieldOf(schema, issue.path), valueAt(value, issue.path))?.properties ?? {});
    const shown = (name: string) => (source.flags ? flag([name]) : name);
    return issue.keys.map((key) => {
      const meant = didYouMean(key, fields);
      const known = fields.length === 0 ? '' : `; the ${source.flags ? 'options' : 'fields'} are ${fields.map(shown).join(', ')}`;
      const offer = meant === undefined ? known : `; did you mean ${shown(meant)}?`;
      const at = place(source, [...issue.path, key]);
      return new InputError(source.flags ? `${at}: unknown option${offer}` : `${at}: unknown field${offer}`);
    });
  }
  if (issue.code === 'invalid_key')
    return [
      new InputError(`${place(source, issue.path)}: its name is not allowed: ${issue.issues.map((inner) => inner.message).join('; ')}`),
    ];
  const found = valueAt(value, issue.path);
  const field = fieldOf(schema, issue.path);
  const example = field?.examples?.[0];
  const next =
    example === undefined ? {} : { next: `for example ${source.flags ? typed(issue.path, example) : written(issue.path.at(-1), example)}` };
  const expected = expectation(issue, field, () => ruleOfText(schema, value, issue.path));
  return [new InputError(`${place(source, issue.path)}: found ${show(found, issue)}; ${expected}`, next)];
}

function place({ file, under = [], flags }: Source, path: readonly PropertyKey[]): string {
  if (flags && path.length > 0) return `${file}: ${flag(path)}`;
  const field = [...under, ...path].reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
  return field === '' ? file : `${file}: ${field}`;
}

/**
 * What was found, for a message. A text in the place of a secret reference may be a password in clear: of it and of
 * fields whose name sounds like one only the type is told.
 */
function show(found: unknown, issue: z.core.$ZodIssue): string {
  if (found === undefined) return 'nothing';
  if (found === null) return 'null';
  if (found instanceof Secret) return 'a secret';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'an object';
  const secretive =
    issue.message.includes('secret') || issue.path.some((key) => /pass|secret|token|key|auth|credential/i.test(String(key)));
  if (secretive) return `a ${typeof found}`;
  const text = JSON.stringify(found);
  return `${text.length > 80 ? `${text.slice(0, 79)}…` : text} (${typeof found})`;
}

/** An option as it is typed: `--lease-wait`. */
function flag([name = '']: readonly PropertyKey[]): string {
  // Where yargs-parser puts what is no option.
  if (name === '_') return 'words without an option';
  return `--${String(name).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function typed(path: readonly PropertyKey[], example: unknown): string {
  return `${flag(path)}=${quote(String(example))}`;
}

/** A field as it would stand in the file; an entry of a list without its number. */
function written(key: PropertyKey | undefined, example: unknown): string {
  return typeof key === 'string' ? JSON.stringify({ [key]: example }).slice(1, -1) : JSON.stringify(example);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}
