import { z } from 'zod';
import { appStepSchema } from './executors/app/options.ts';
import { artifactSchema } from './executors/artifact/options.ts';
import { convergeSchema } from './executors/converge/options.ts';
import { drillSchema } from './executors/drill/options.ts';
import { inventorySchema } from './executors/inventory/options.ts';
import { logSchema } from './executors/log/options.ts';
import { planSchema } from './executors/plan/options.ts';
import { pruneSchema } from './executors/prune/options.ts';
import { rollbackSchema } from './executors/rollback/options.ts';
import { UNPARSED } from './executors/shared/request.ts';
import { snapshotsSchema } from './executors/snapshots/options.ts';
import { statusSchema } from './executors/status/options.ts';
import { verifySchema } from './executors/verify/options.ts';
import { appOptions } from './generators/app/options.ts';
import { containerOptions } from './generators/container/options.ts';
import { environmentOptions } from './generators/environment/options.ts';
import { initSchema } from './generators/init/options.ts';
import { secretsOptions } from './generators/secrets/options.ts';
import { services } from './services/index.ts';
import { appSchema } from './workspace/app.ts';
import { containerSchema } from './workspace/container.ts';
import { appEnvironmentSchema, environmentSchema } from './workspace/environment.ts';
import { storageSchema } from './workspace/storage.ts';

/** A JSON schema, or a part of one. */
export type Json = Record<string, unknown>;

/** The executors by name: the schema of their options, and what they do. */
export const EXECUTORS = {
  app: [appStepSchema, "One step of an application's deploy: provision, configure or deploy"],
  artifact: [artifactSchema, 'Obtains the binaries a service needs, ahead of a deploy'],
  converge: [convergeSchema, 'One step of a deploy: preflight, snapshot, provision or configure'],
  drill: [drillSchema, 'Whether a restore point can be restored'],
  inventory: [inventorySchema, 'The data containers of an environment as an Ansible inventory'],
  log: [logSchema, 'The audit log of an environment'],
  prune: [pruneSchema, 'Destroys the restore points that no rule keeps'],
  snapshots: [snapshotsSchema, 'The restore points of an environment'],
  plan: [planSchema, 'What configure would change'],
  rollback: [rollbackSchema, 'Takes containers back to an earlier state, or forward again; what is left is kept'],
  status: [statusSchema, 'What is there, and in which state'],
  verify: [verifySchema, "Whether the service answers with the application's credentials"],
} as const;

/** The generators, as {@link EXECUTORS}; what they do stands in generators.json too. */
export const GENERATORS = {
  init: [initSchema, 'Makes a workspace ready for nx-mooring: nx.json, .gitignore, a local environment, the storage project'],
  container: [containerOptions, "Adds a data container: PostgreSQL, Redis, RabbitMQ, MinIO, or a service of one's own"],
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
