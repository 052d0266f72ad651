import { z } from 'zod';
import { InputError, type MooringError, ProblemsError } from '../engine/errors.ts';
import { Secret } from '../engine/secret.ts';
import { didYouMean } from './unknown.ts';

/** A value and where it came from, for messages. */
export type Source = {
  /** `infra/environments/local.json`, or `option` for the command line. */
  readonly file: string;
  /** Path of the value inside the file: `['containers', 'redis', 'settings']`. */
  readonly under?: readonly PropertyKey[];
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
    : { problems: result.error.issues.flatMap((issue) => describe(issue, schema, value, source)) };
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
    const known = Object.keys(alternative(fieldOf(schema, issue.path), valueAt(value, issue.path))?.properties ?? {});
    return issue.keys.map((key) => {
      const meant = didYouMean(key, known);
      const offer = meant === undefined ? (known.length === 0 ? '' : `; the fields are ${known.join(', ')}`) : `; did you mean ${meant}?`;
      return new InputError(`${place(source, [...issue.path, key])}: unknown field${offer}`);
    });
  }
  if (issue.code === 'invalid_key')
    return [
      new InputError(`${place(source, issue.path)}: its name is not allowed: ${issue.issues.map((inner) => inner.message).join('; ')}`),
    ];
  const found = valueAt(value, issue.path);
  const example = fieldOf(schema, issue.path)?.examples?.[0];
  const next = example === undefined ? {} : { next: `for example ${written(issue.path.at(-1), example)}` };
  return [new InputError(`${place(source, issue.path)}: found ${show(found, issue)}; ${expectation(issue)}`, next)];
}

function place({ file, under = [] }: Source, path: readonly PropertyKey[]): string {
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

function expectation(issue: z.core.$ZodIssue): string {
  // What a schema says in its own words is better than what can be made of its type.
  if (!/^(?:Invalid|Too) /.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${unit(issue.origin)}`;
    default:
      return issue.message;
  }
}

/** A field as it would stand in the file; an entry of a list without its number. */
function written(key: PropertyKey | undefined, example: unknown): string {
  return typeof key === 'string' ? JSON.stringify({ [key]: example }).slice(1, -1) : JSON.stringify(example);
}

function unit(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';
}

type Field = {
  properties?: Record<string, Field>;
  additionalProperties?: Field | boolean;
  items?: Field;
  const?: unknown;
  examples?: unknown[];
  anyOf?: Field[];
  oneOf?: Field[];
  allOf?: Field[];
};

/** The JSON schema of the field at `path`: where descriptions and examples stand. Costs a conversion, so it is asked on errors only. */
function fieldOf(schema: z.ZodType, path: readonly PropertyKey[]): Field | undefined {
  let at = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Field | undefined;
  for (const key of path) {
    at = [at, ...(at?.anyOf ?? []), ...(at?.oneOf ?? []), ...(at?.allOf ?? [])]
      .map((field) => field?.properties?.[String(key)] ?? (typeof key === 'number' ? field?.items : undefined) ?? extra(field))
      .find((field) => field !== undefined);
  }
  return at;
}

/** Of a union of objects the one that the value is meant for: whose constants it has, such as `provider`. */
function alternative(field: Field | undefined, value: unknown): Field | undefined {
  const has = ([key, { const: constant }]: [string, Field]) =>
    constant === undefined || (value as Record<string, unknown>)[key] === constant;
  return field?.oneOf?.find(({ properties = {} }) => Object.entries(properties).every(has)) ?? field;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

function extra(field: Field | undefined): Field | undefined {
  return typeof field?.additionalProperties === 'object' ? field.additionalProperties : undefined;
}
