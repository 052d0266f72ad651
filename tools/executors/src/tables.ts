import type { z } from 'zod';
import { markdownTable } from './report/table.ts';
import { EXECUTORS, GENERATORS, type Json, jsonSchema } from './schemas.ts';
import { services } from './services/index.ts';
import { appSchema } from './workspace/app.ts';
import { guestSchema } from './workspace/app-guest.ts';
import { containerSchema } from './workspace/container.ts';
import { environmentSchema } from './workspace/environment.ts';
import { storageSchema } from './workspace/storage.ts';

/** What the plugin sets by itself, on each target. */
const OF_THE_TARGET = ['environment', 'step'];

/**
 * The Markdown that documents carry between `<!-- generated:<name> -->` and `<!-- /generated:<name> -->`, by that name:
 * `options` for all executors, `generators` for all generators, `settings-<service>` for each service, `container`, `environment` and `storage` for the files.
 */
export async function generatedRegions(): Promise<Record<string, string>> {
  const settings = await Promise.all(
    Object.entries(services).map(async ([name, load]) => [
      `settings-${name}`,
      table('setting', fields(jsonSchema((await load()).settings))),
    ]),
  );
  const files = Object.entries({
    app: appSchema,
    guest: guestSchema,
    container: containerSchema,
    environment: environmentSchema,
    storage: storageSchema,
  });
  return {
    options: optionTables(EXECUTORS),
    generators: optionTables(GENERATORS),
    ...Object.fromEntries(settings),
    ...Object.fromEntries(files.map(([name, schema]) => [name, table('field', fields(jsonSchema(schema)))])),
  };
}

/** A heading, a sentence and a table for each executor or generator. */
function optionTables(all: Readonly<Record<string, readonly [z.ZodObject, string]>>): string {
  const parts = Object.entries(all).map(([name, [schema, description]]) => {
    const rows = fields(jsonSchema(schema))
      .filter((option) => !OF_THE_TARGET.includes(option.name))
      .map((option) => ({ ...option, name: `--${kebab(option.name)}`, otherwise: defaultOf(schema, option.name) }));
    return `### nx-mooring:${name}\n\n${description}.\n\n${table('option', rows)}`;
  });
  return parts.join('\n\n');
}

/** The text of a document with its regions replaced. @throws Error at a region that nobody generates, or that has no end */
export function replaceRegions(text: string, regions: Readonly<Record<string, string>>, document: string): string {
  const named = [...text.matchAll(/<!-- generated:([\w-]+) -->/g)].map(([, name]) => String(name));
  return named.reduce((all, name) => {
    const [begin, end] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`];
    const [at, until] = [all.indexOf(begin), all.indexOf(end)];
    if (regions[name] === undefined)
      throw new Error(`${document}: nothing generates ${name}; known are ${Object.keys(regions).join(', ')}`);
    if (until < at) throw new Error(`${document}: ${begin} has no ${end} after it`);
    return `${all.slice(0, at)}${begin}\n${regions[name]}\n${all.slice(until)}`;
  }, text);
}

type Field = { readonly name: string; readonly value: string; readonly otherwise: string; readonly description: string };

/** The fields of an object schema, those of objects inside it as `outer.inner`. */
function fields(schema: Json, prefix = '', needed = true): Field[] {
  const required = needed ? ((schema.required ?? []) as string[]) : [];
  return Object.entries((schema.properties ?? {}) as Record<string, Json>)
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, property]) => {
      const name = `${prefix}${key}`;
      if (property.properties !== undefined && !isSecret(property)) return fields(property, `${name}.`, required.includes(key));
      const otherwise = property.default !== undefined ? code(property.default) : required.includes(key) ? 'required' : '';
      return [{ name, value: kindOf(property), otherwise, description: String(property.description ?? '') }];
    });
}

/** What an option is when it is left out; zod leaves that out of the JSON schema of what it transforms. */
function defaultOf(schema: z.ZodObject, name: string): string {
  const found = (schema.shape[name] as z.ZodType).safeParse(undefined);
  return !found.success || found.data === undefined || (Array.isArray(found.data) && found.data.length === 0) ? '' : code(found.data);
}

function table(head: string, rows: readonly Field[]): string {
  return markdownTable(
    [head, 'value', 'default', 'what it is'],
    rows.map(({ name, value, otherwise, description }) => [code(name), value, otherwise, description]),
  );
}

/** What may stand there, in a few words. */
function kindOf(property: Json): string {
  if (isSecret(property)) return '`{"secret": "NAME"}`';
  const { type, items, enum: values, const: value, anyOf, minimum, maximum } = property;
  if (values !== undefined) return (values as unknown[]).map(code).join(', ');
  if (value !== undefined) return code(value);
  const kinds = ((anyOf ?? []) as Json[]).map((one) => one.type);
  // Options of the command line take their values as text too.
  if (type === 'boolean' || kinds.includes('boolean')) return 'true or false';
  if (kinds.includes('array')) return 'names, comma-separated';
  if (kinds.includes('integer') && kinds.includes('string') && !(anyOf as Json[]).some((one) => 'const' in one)) return 'number';
  if (String(property.pattern).includes('(ms|s|m|h)')) return 'a time: `90s`, `5m`';
  const example = exampleOf(property);
  if (example !== undefined) return `such as ${code(example)}`;
  if (anyOf !== undefined) return [...new Set((anyOf as Json[]).map(kindOf))].join(' or ');
  if (type === 'array') return `list of ${kindOf((items ?? {}) as Json)}`;
  if (type === 'object') return 'object';
  if (type !== 'integer' && type !== 'number') return 'text';
  return typeof minimum === 'number' && typeof maximum === 'number' && maximum < 1e9 ? `${minimum} to ${maximum}` : 'number';
}

/** An example that says more than the default does. */
function exampleOf({ examples, items, default: otherwise }: Json): unknown {
  const [example] = (examples ?? []) as unknown[];
  const [item] = ((items as Json | undefined)?.examples ?? []) as unknown[];
  if (typeof otherwise === 'string' || (isPlain(example) && Object.keys(example).length === 0)) return undefined;
  return example ?? (item === undefined ? undefined : [item]);
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSecret({ properties }: Json): boolean {
  return properties !== undefined && Object.keys(properties as object).join() === 'secret';
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
