import { z } from 'zod';
import { isInterface, networkOf } from '../engine/ip.ts';
import { hostAlias, hostPart, incusName, relativePath } from '../engine/names.ts';
import { secretsSchema } from '../secrets/settings.ts';
import { deviceSet, limitSet } from './container.ts';
import { fileHead } from './file-head.ts';
import { proxmoxSchema } from './proxmox.ts';

// A network of length 0 is everybody: the services would listen to the whole world by a slip of the pen.
const network = z
  .union([z.cidrv4(), z.cidrv6()], 'expected a network in CIDR notation')
  .refine(isInterface, { error: 'expected a network in CIDR notation', abort: true })
  // Also `::ffff:0:0/96`, which is all of IPv4.
  .refine((cidr) => !networkOf(cidr).endsWith('/0'), 'a network of length 0 is the whole world')
  .meta({ examples: ['10.20.0.0/24'] });

const containerOverride = z.strictObject({
  host: hostAlias.optional(),
  settings: z
    .record(z.string(), z.json())
    .optional()
    .meta({ description: 'Merged over the settings of container.json; lists are replaced as a whole' }),
  limits: limitSet.optional(),
  devices: deviceSet.optional(),
});

const appOverrides = z
  .record(hostPart, z.record(z.string(), z.json()))
  .default({})
  .meta({
    description: 'What differs for single applications in this environment: fields of app.json, merged over them',
    examples: [{ pote: { buildVars: { PIP_INDEX_URL: { secret: 'PIP_INDEX_URL' } } } }],
  });

const sshConfig = relativePath
  .optional()
  .meta({ description: "An SSH configuration file of the workspace's own (`ssh -F`), instead of the user's" });

/** `infra/environments/<name>.json`: where the containers of one environment live and how they are called there, and its applications' guests. */
export const environmentSchema = z
  .strictObject({
    ...fileHead,
    description: z.string().optional(),
    host: hostAlias,
    sshConfig,
    secrets: secretsSchema,
    incus: z.strictObject({
      project: incusName.meta({ description: 'Incus project of the containers', examples: ['default'] }),
      profiles: z
        .array(incusName)
        .meta({ description: 'Profiles a container is launched with, in this order', examples: [['veza-data', 'veza-net']] }),
      image: z
        .string()
        .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$/, 'expected an image alias')
        .meta({ description: 'Image alias; what it resolves to is recorded at launch', examples: ['debian/12'] }),
    }),
    prefix: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens, beginning with a letter')
      .meta({ description: 'Before the name of every container', examples: ['veza-local-'] }),
    network: incusName.meta({ description: 'Incus network of the containers; its hosts may connect', examples: ['veza-net0'] }),
    hostOnNetwork: z.boolean().default(false).meta({
      description:
        'The host has an interface of its own on a network of the kind macvlan or ipvlan, over which it could not reach its containers otherwise',
    }),
    clients: z.array(network).default([]).meta({ description: 'Further networks whose hosts may connect' }),
    retention: z
      .int()
      .min(1)
      .meta({ description: 'Restore points that are kept, one a release', examples: [5] }),
    allowNoRestorePoint: z
      .boolean()
      .default(false)
      .meta({ description: 'Deploy although the storage cannot make a restore point (outside `local`)' }),
    quiesce: z.enum(['warning', 'error']).default('warning').meta({
      description: 'What a service that could not be made quiet before a restore point is: a `warning`, or an `error` that stops the cut',
    }),
    poolUsedPercentMax: z.int().min(1).max(99).default(90).meta({ description: 'A pool that is fuller is refused' }),
    containers: z
      .record(hostPart, containerOverride)
      .default({})
      .meta({ description: 'What differs for single containers in this environment' }),
    proxmox: proxmoxSchema.optional(),
    apps: appOverrides,
  })
  .meta({ title: 'nx-mooring environment' });

/** An environment of applications only: no container is part of it. */
export const appEnvironmentSchema = z
  .strictObject({
    ...fileHead,
    description: z.string().optional(),
    sshConfig,
    secrets: secretsSchema,
    proxmox: proxmoxSchema,
    apps: appOverrides,
  })
  .meta({ title: 'nx-mooring environment of applications' });

/** An environment as its file has it, defaults filled in. */
export type Environment = z.output<typeof environmentSchema>;
/** An environment with its name, which is the file's name. */
export type NamedEnvironment = Environment & { readonly name: string };
/** An environment of either kind. */
export type AnyEnvironment = NamedEnvironment | (z.output<typeof appEnvironmentSchema> & { readonly name: string });

/** Which schema a file is meant for: one that has `proxmox` and no field of the containers is of applications only. */
export function environmentSchemaOf(content: unknown): typeof environmentSchema | typeof appEnvironmentSchema {
  if (typeof content !== 'object' || content === null || !('proxmox' in content)) return environmentSchema;
  const ofContainers = Object.keys(environmentSchema.shape).filter((field) => !(field in appEnvironmentSchema.shape));
  return ofContainers.some((field) => field in content) ? environmentSchema : appEnvironmentSchema;
}

/** Whether containers can be part of the environment. */
export function hasContainers(environment: AnyEnvironment): environment is NamedEnvironment {
  return 'incus' in environment;
}
