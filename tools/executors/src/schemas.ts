import { z } from 'zod';
import { UNPARSED } from './executors/shared/request.ts';
import { appOptions } from './generators/app/options.ts';
import { containerOptions } from './generators/container/options.ts';
import { environmentOptions } from './generators/environment/options.ts';
import { initSchema } from './generators/init/options.ts';
import { secretsOptions } from './generators/secrets/options.ts';
import { services } from './services/index.ts';
import { app, data } from './verbs/deploy/options.ts';
import { ARTIFACT, DEPLOYS, VERBS, type Verb } from './verbs/table.ts';
import { appSchema } from './workspace/app.ts';
import { containerSchema } from './workspace/container.ts';
import { appEnvironmentSchema, environmentSchema } from './workspace/environment.ts';
import { storageSchema } from './workspace/storage.ts';

/** A JSON schema, or a part of one. */
export type Json = Record<string, unknown>;

type Described = readonly [schema: z.ZodObject, description: string];

/** The executors by name: the schema of their options, and what they do. */
export const EXECUTORS: Readonly<Record<string, Described>> = {
  ...Object.fromEntries(
    Object.entries(DEPLOYS).map(([name, { tier, description }]): [string, Described] => [name, [{ app, data }[tier].schema, description]]),
  ),
  ...Object.fromEntries(
    await Promise.all(
      Object.entries({ ...VERBS, artifact: ARTIFACT }).map(async ([name, { description }]): Promise<[string, Described]> => {
        const { schema }: { schema: z.ZodObject } = await import(`./verbs/${name}/options.ts`);
        return [name, [schema, description]];
      }),
    ),
  ),
};

/** The generators, as {@link EXECUTORS}; what they do stands in generators.json too. */
export const GENERATORS = {
  init: [initSchema, 'Makes a workspace ready for nx-mooring: nx.json, .gitignore, a local environment, the storage project'],
  container: [containerOptions, 'Adds a data container: PostgreSQL, Redis, RabbitMQ, MinIO, or your own service'],
  environment: [environmentOptions, 'Adds an environment: containers on Incus, guests on Proxmox VE, or both'],
  app: [appOptions, 'Adds an application and its guests on Proxmox VE'],
  secrets: [secretsOptions, 'Secrets in the repository, encrypted: makes keys, adds, rotates, re-encrypts'],
} as const;

/**
 * The executors' `schema.json` by file, for nx: its help and its reading of the command line. They allow everything
 * (a schema error in a batch ends the worker with `#<SchemaError>`): zod reports.
 */
export function executorSchemas(): Record<string, Json> {
  return optionSchemas('executors', EXECUTORS, { version: 2 }, { [UNPARSED]: AS_TYPED });
}

/** The generators' `schema.json` by file; as {@link executorSchemas}. */
export function generatorSchemas(): Record<string, Json> {
  return optionSchemas('generators', GENERATORS, {}, {});
}

/** As nx's own `run-commands` asks for it. */
const AS_TYPED = {
  hidden: true,
  type: 'array',
  items: { type: 'string' },
  $default: { $source: 'unparsed' },
  'x-priority': 'internal',
};

function optionSchemas(
  folder: string,
  all: Readonly<Record<string, readonly [z.ZodType, string]>>,
  head: Json,
  more: Json,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(all).map(([name, [schema, description]]) => {
      const { properties } = jsonSchema(schema) as { properties: Record<string, Json> };
      const options = Object.fromEntries(Object.entries(properties).map(([option, property]) => [option, permissive(property)]));
      return [
        `src/${folder}/${name}/schema.json`,
        {
          $schema: 'https://json-schema.org/schema',
          ...head,
          title: `nx-mooring:${name}`,
          description,
          type: 'object',
          properties: { ...options, ...more },
          additionalProperties: true,
        },
      ];
    }),
  );
}

/** The JSON schemas of the workspace's files by file, for editors. A container's settings follow its service. */
export async function fileSchemas(): Promise<Record<string, Json>> {
  const container = jsonSchema(containerSchema);
  const settings = await Promise.all(
    Object.entries(services).map(async ([name, load]) => ({
      if: { properties: { service: { const: name } }, required: ['service'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
      then: { properties: { settings: withoutDialect(jsonSchema((await load()).settings)) } },
    })),
  );
  return {
    'schemas/container.schema.json': { ...container, allOf: settings },
    'schemas/app.schema.json': jsonSchema(appSchema),
    'schemas/environment.schema.json': jsonSchema(z.union([environmentSchema, appEnvironmentSchema])),
    'schemas/storage.schema.json': jsonSchema(storageSchema),
  };
}

const SECRET = {
  type: 'object',
  description: 'A secret by its name',
  properties: { secret: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$' } },
  required: ['secret'],
  additionalProperties: false,
};

/** A schema as JSON schema, as its input is written. */
export function jsonSchema(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema: json }) {
      // The one custom type in files is the secret reference.
      if (zodSchema._zod.def.type === 'custom')
        Object.assign(json, SECRET, json.description === undefined ? {} : { description: json.description });
    },
  }) as Json;
}

function withoutDialect({ $schema: _, ...schema }: Json): Json {
  return schema;
}

/** Any value, in words that nx checks and does not coerce by (nx `params.js`: `validateProperty` reads `anyOf` first, `coerceType` never). */
const ANY = ['string', 'number', 'boolean', 'array', 'object'].map((type) => ({ type }));

/** What nx reads of an option beside its type: where it comes from when it has no name on the command line, what to ask for. */
const FOR_NX = ['$default', 'x-prompt'];

/** Keeps what nx shows and needs to read the command line, and lets every kind of value through to zod. */
function permissive(property: Json): Json {
  const kept = Object.fromEntries(FOR_NX.filter((key) => key in property).map((key) => [key, property[key]]));
  return { ...permissiveType(property), ...kept };
}

function permissiveType({ description, examples, type, anyOf = [] }: Json): Json {
  const kinds = [type, ...(anyOf as Json[]).map((one) => one.type)];
  const kind = ['array', 'boolean', 'integer', 'number'].find((one) => kinds.includes(one)) ?? 'string';
  return { type: kind === 'integer' ? 'number' : kind, anyOf: ANY, description, ...(examples === undefined ? {} : { examples }) };
}

/** `executors.json`, in which Nx finds the executors. */
export function executorsJson(): Json {
  const batched = new Set([
    ...Object.keys(DEPLOYS),
    'artifact',
    ...Object.entries(VERBS).flatMap(([name, verb]) => ('batch' in verb ? [name] : [])),
  ]);
  const entry = (name: string, description: string) => ({
    implementation: `./dist/executors/entries.js#${name}`,
    ...(batched.has(name) ? { batchImplementation: `./dist/executors/entries.js#${name}Batch`, preferBatch: true } : {}),
    schema: `./src/executors/${name}/schema.json`,
    description,
  });
  return {
    $schema: 'https://json-schema.org/schema',
    executors: Object.fromEntries(Object.entries(EXECUTORS).map(([name, [, description]]) => [name, entry(name, description)])),
  };
}

/** `executors/entries.ts`, the functions that `executors.json` names. */
export function entriesSource(): string {
  const imported = (file: string, name: string) => `async () => (await import('../verbs/${file}.ts')).${name}`;
  const both = (name: string, maker: string, batch: boolean, load: readonly string[]) => [
    `const ${name}Parts = {\n${load.map((line) => `  ${line},\n`).join('')}};`,
    `export const ${name} = ${maker}(${name}Parts);`,
    ...(batch ? [`export const ${name}Batch = ${maker}Batch(${name}Parts);`] : []),
    '',
  ];
  const deploys = Object.entries(DEPLOYS).flatMap(([name, { tier }]) =>
    both(name, 'steps', true, [`options: ${imported('deploy/options', tier)}`, `perform: ${imported(`deploy/${tier}`, `${tier}Tasks`)}`]),
  );
  const tier = (file: string, name: string, report: string) =>
    `async () => ({\n    verb: (await import('../verbs/${file}.ts')).${name},\n    report: (await import('../report/${report}.ts')).${name}Report,\n  })`;
  const verbs = Object.entries(VERBS as Record<string, Verb>).flatMap(([name, verb]) =>
    both(name, 'verb', verb.batch === true, [
      `options: () => import('../verbs/${name}/options.ts')`,
      `data: ${tier(`${name}/${verb.app === undefined ? 'index' : 'data'}`, name, name)}`,
      ...(verb.app === undefined ? [] : [`app: ${tier(`${name}/app`, `${name}Apps`, name)}`]),
    ]),
  );
  const artifact = both('artifact', 'ahead', true, [
    `options: () => import('../verbs/artifact/options.ts')`,
    `perform: ${tier('artifact/index', 'artifact', 'artifact')}`,
  ]);
  return [
    '// Written by `npm run generate`, from verbs/table.ts.',
    "import { ahead, aheadBatch, steps, stepsBatch, verb, verbBatch } from './shared/entry.ts';",
    '',
    ...deploys,
    ...verbs,
    ...artifact,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}
