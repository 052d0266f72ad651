import { z } from 'zod';

/** A field of a JSON schema. */
export type Field = {
  type?: string | string[];
  properties?: Record<string, Field>;
  additionalProperties?: Field | boolean;
  items?: Field;
  const?: unknown;
  enum?: unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  examples?: unknown[];
  anyOf?: Field[];
  oneOf?: Field[];
  allOf?: Field[];
};

/**
 * What a field takes, in words, where the schema has none of its own: zod's name the type alone, or the one bound that was not kept.
 *
 * @param rule what the schema says of a text that it does not take; nothing where it takes any
 */
export function expectation(issue: z.core.$ZodIssue, field: Field | undefined, rule: () => string | undefined): string {
  if (isOwn(issue.message)) return issue.message;
  if (issue.code === 'invalid_type' && issue.expected === 'string') return rule() ?? 'expected a text';
  if (issue.code === 'too_small' && issue.origin === 'string')
    return issue.minimum === 1 ? 'expected a text that is not empty' : `expected a text of ${issue.minimum} characters or more`;
  if (issue.code === 'too_small' && issue.origin === 'array') return `expected a list with ${issue.minimum} or more entries`;
  if (issue.code === 'too_big' && issue.origin === 'string') return `expected a text of ${issue.maximum} characters at most`;
  if (issue.code === 'too_big' && issue.origin === 'array') return `expected a list with ${issue.maximum} entries at most`;
  if (issue.code === 'invalid_value') return `expected ${either(issue.values.map((value) => JSON.stringify(value)))}`;
  const words = field === undefined ? undefined : takes(issue.code === 'too_small' || issue.code === 'too_big' ? numbersOf(field) : field);
  return words === undefined ? issue.message : `expected ${words}`;
}

/** What a schema says in its own words is better than what can be made of its type. */
function isOwn(message: string): boolean {
  return !/^(?:Invalid|Too) /.test(message);
}

/** What a field takes, as the end of a sentence; nothing where its schema does not tell. */
function takes(field: Field): string | undefined {
  const words = alternativesOf(field);
  return words.length === 0 ? undefined : either([...new Set(words)]);
}

function alternativesOf(field: Field): string[] {
  const { anyOf, oneOf, properties, items } = field;
  const alternatives = anyOf ?? oneOf;
  if (alternatives !== undefined) return alternatives.flatMap((one) => (one.type === 'object' ? ['an object'] : alternativesOf(one)));
  if (field.const !== undefined) return [JSON.stringify(field.const)];
  if (Array.isArray(field.type)) return field.type.flatMap((type) => alternativesOf({ ...field, type }));
  if (field.enum !== undefined) return field.enum.map((value) => JSON.stringify(value));
  switch (field.type) {
    case 'integer':
    case 'number':
      return [`a ${field.type === 'integer' ? 'whole ' : ''}number${range(field)}`];
    case 'string':
      return [field.format === 'uri' ? 'a URL' : 'a text'];
    case 'boolean':
      return ['true', 'false'];
    case 'array':
      return [items?.type === undefined ? 'a list' : `a list, each entry ${takes(items)}`];
    case 'object':
      return [
        properties === undefined ? 'an object: a value for each name' : `an object with the fields ${Object.keys(properties).join(', ')}`,
      ];
    default:
      return [];
  }
}

function range({ minimum, maximum }: Field): string {
  // Bounds of what JavaScript can count are no rule of ours.
  const [from, to] = [minimum, maximum].map((bound) => (bound !== undefined && Number.isSafeInteger(bound) ? bound : undefined));
  const [lowest, highest] = [from === Number.MIN_SAFE_INTEGER ? undefined : from, to === Number.MAX_SAFE_INTEGER ? undefined : to];
  if (lowest !== undefined && highest !== undefined) return ` from ${lowest} to ${highest}`;
  if (lowest !== undefined) return `, ${lowest} or more`;
  return highest === undefined ? '' : `, ${highest} or less`;
}

function numbersOf(field: Field): Field {
  return field.anyOf?.find(({ type }) => type === 'integer' || type === 'number') ?? field;
}

function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The JSON schema of the field at `path`: where descriptions and examples stand. Costs a conversion, so it is asked on errors only. */
export function fieldOf(schema: z.ZodType, path: readonly PropertyKey[]): Field | undefined {
  let at = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Field | undefined;
  for (const key of path) {
    at = [at, ...(at?.anyOf ?? []), ...(at?.oneOf ?? []), ...(at?.allOf ?? [])]
      .map((field) => field?.properties?.[String(key)] ?? (typeof key === 'number' ? field?.items : undefined) ?? extra(field))
      .find((field) => field !== undefined);
  }
  return at;
}

/** Of a union of objects the one that the value is meant for: whose constants it has, such as `provider`. */
export function alternative(field: Field | undefined, value: unknown): Field | undefined {
  const has = ([key, { const: constant }]: [string, Field]) =>
    constant === undefined || (value as Record<string, unknown>)[key] === constant;
  return field?.oneOf?.find(({ properties = {} }) => Object.entries(properties).every(has)) ?? field;
}

function extra(field: Field | undefined): Field | undefined {
  return typeof field?.additionalProperties === 'object' ? field.additionalProperties : undefined;
}

/** What a schema says of a text at `path` that no rule takes; nothing where it takes it. */
export function ruleOfText(schema: z.ZodType, value: unknown, path: readonly PropertyKey[]): string | undefined {
  const { error } = schema.safeParse(withText(value, path));
  return error?.issues.find((issue) => issue.path.join('\n') === path.join('\n') && isOwn(issue.message))?.message;
}

function withText(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return '\0';
  if (Array.isArray(value)) return value.map((entry, i) => (i === key ? withText(entry, rest) : entry));
  const fields = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>) : {};
  return { ...fields, [key]: withText(fields[key], rest) };
}
