import { z } from 'zod';
import { type CommandResult, read } from '../../engine/command.ts';
import { commandFailed, MooringError } from '../../engine/errors.ts';
import type { Fact, FactSet } from '../../engine/fact.ts';
import type { Instance, InstanceFacts, Pool, Space } from '../../engine/instance.ts';
import { parseAnswer, unreadableSchema } from './answer.ts';
import { incus } from './command.ts';

const keys = z.record(z.string(), z.string());
const devices = z.record(z.string(), keys);

const snapshotSchema = z.object({ name: z.string(), created_at: z.string(), config: keys });

const instanceSchema = z.object({
  name: z.string(),
  project: z.string(),
  type: z.enum(['container', 'virtual-machine']),
  status: z.string(),
  location: z.string(),
  created_at: z.string(),
  config: keys,
  expanded_config: keys,
  devices,
  expanded_devices: devices,
  profiles: z.array(z.string()).nullable(),
  snapshots: z.array(snapshotSchema).nullable(),
  state: z
    .object({
      network: z
        .record(
          z.string(),
          z.object({
            addresses: z.array(z.object({ family: z.string(), address: z.string(), scope: z.string() })),
            hwaddr: z.string(),
            /** The other end of a veth, on the host; else empty. */
            host_name: z.string(),
          }),
        )
        .nullable(),
    })
    .nullable(),
});

const listedSchema = z.preprocess(
  (value) => (unreadableSchema.safeParse(value).success ? { ...(value as object), ...nothingKnown } : value),
  instanceSchema,
);
const nothingKnown = { config: {}, expanded_config: {}, devices: {}, expanded_devices: {} };

/** Where the API has an instance: `/1.0/instances/<name>`, in another project than `default` with `?project=<project>`. */
const instancePath = z.string().transform((path, context) => {
  const [, name, project = 'default'] = /^\/1\.0\/instances\/([^/?#]+)(?:\?project=([^&#]+))?$/.exec(path) ?? [];
  if (name !== undefined) return { name: decodeURIComponent(name), project: decodeURIComponent(project) };
  context.addIssue(`not the path of an instance: ${path}`);
  return z.NEVER;
});

const poolSchema = z.object({ name: z.string(), driver: z.string(), status: z.string(), config: keys });

const profileSchema = z.object({ name: z.string(), config: keys, devices });
const networkSchema = z.object({ name: z.string(), managed: z.boolean(), type: z.string(), status: z.string(), config: keys });
const aliasSchema = z.object({ name: z.string(), target: z.string() });
const projectSchema = z.object({ name: z.string(), config: keys });
const operationsSchema = z
  .object({
    running: z
      .array(z.object({ description: z.string(), resources: z.object({ instances: z.array(instancePath).optional() }).nullish() }))
      .optional(),
  })
  .transform(({ running = [] }) => running.map(({ description, resources }) => ({ description, instances: resources?.instances ?? [] })));
const serverSchema = z.object({
  environment: z.object({ server_version: z.string() }),
  config: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * The facts of an Incus host, each one API query.
 *
 * @param project the environment's Incus project
 */
export function incusFacts(project: string): FactSet<InstanceFacts> {
  const inProject = `project=${encodeURIComponent(project)}`;
  const server = query('server', '/1.0', serverSchema);
  const operations = query('operations', `/1.0/operations?recursion=1&${inProject}`, operationsSchema);
  return {
    // Before the instances: what ends between the two is then taken for what is still under way, and all is asked again.
    operations: { ...operations, parse: (result) => ofProject(operations).parse(result) ?? [] },
    version: { ...server, parse: (result) => server.parse(result).environment.server_version },
    projects: query('projects', '/1.0/projects?recursion=1', z.array(projectSchema)),
    // Their state is asked in our project only: for each instance Incus then starts its storage driver's tool (0.2 s for twenty on btrfs).
    instances: query('instances', `/1.0/instances?recursion=2&${inProject}`, z.array(listedSchema)),
    everywhere: query('names of all instances', '/1.0/instances?all-projects=true', z.array(instancePath)),
    pools: query('storage pools', '/1.0/storage-pools?recursion=1', z.array(poolSchema)),
    profiles: ofProject(query('profiles', `/1.0/profiles?recursion=1&${inProject}`, z.array(profileSchema))),
    networks: ofProject(query('networks', `/1.0/networks?recursion=1&${inProject}`, z.array(networkSchema))),
    aliases: ofProject(query('image aliases', `/1.0/images/aliases?recursion=1&${inProject}`, z.array(aliasSchema))),
  };
}

/** One instance of a project. @throws when it is not there */
export function instanceFact(project: string, name: string): Fact<Instance> {
  return query(
    `instance ${name}`,
    `/1.0/instances/${encodeURIComponent(name)}?recursion=1&project=${encodeURIComponent(project)}`,
    instanceSchema,
  );
}

/** A pool's space, by Incus's own account. */
export function poolSpace(pool: string): Fact<Space> {
  const fact = query(
    `space of pool ${pool}`,
    `/1.0/storage-pools/${encodeURIComponent(pool)}/resources`,
    z.object({ space: z.object({ used: z.number(), total: z.number() }) }),
  );
  return { ...fact, parse: (result) => fact.parse(result).space };
}

/** The pool of the instance's root disk. @throws MooringError when the instance names none that exists */
export function rootPool(instance: Pick<Instance, 'name' | 'expanded_devices'>, pools: readonly Pool[]): Pool {
  const root = Object.values(instance.expanded_devices).find(({ type, path }) => type === 'disk' && path === '/');
  const pool = pools.find(({ name }) => name === root?.pool);
  if (pool === undefined)
    throw new MooringError(`${instance.name} has its root disk on pool ${root?.pool ?? '(none)'}, which this host does not list`);
  return pool;
}

function query<T>(name: string, path: string, schema: z.ZodType<T>): Fact<T> {
  return {
    name,
    command: read(incus('query', path)),
    parse(result) {
      if (result.code !== 0) throw incusFailed(result, name);
      return parseAnswer(path, result.stdout, schema);
    },
  };
}

function incusFailed(result: CommandResult, name: string): MooringError {
  const next =
    result.code === 127
      ? 'install Incus on the host (Debian: apt-get install incus)'
      : /permission denied/i.test(result.stderr)
        ? 'add the SSH user to the group incus-admin on the host'
        : 'incus info, on the host';
  const message = result.code === 127 ? 'no incus on this host' : `Incus did not report its ${name}`;
  return commandFailed(result, message, { next });
}

function ofProject<T>(fact: Fact<T>): Fact<T | undefined> {
  return { ...fact, parse: (result) => (result.code !== 0 && /project not found/i.test(result.stderr) ? undefined : fact.parse(result)) };
}
