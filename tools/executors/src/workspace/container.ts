import { z } from 'zod';
import { hostPart } from '../engine/names.ts';
import { fileHead } from './file-head.ts';
import { OWN_SERVICE } from './service.ts';

/** Incus `limits.*`, their names without that prefix. Incus takes texts; numbers may be written as such. */
export const limitSet = z
  .record(
    z.string().regex(/^[a-z]+(?:[._][a-z]+)*$/, 'expected the part after `limits.`, such as memory'),
    z.union([z.string().min(1), z.number(), z.boolean()]),
  )
  .meta({ description: "The container's Incus limits: `memory` is `limits.memory`", examples: [{ cpu: 2, memory: '1GiB' }] });

/** Incus devices by name. */
export const deviceSet = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dots and hyphens'),
    z.object({ type: z.string().min(1) }).catchall(z.string()),
  )
  .meta({
    description: "The container's own Incus devices, beside those of its profiles",
    examples: [{ data: { type: 'disk', pool: 'fast', source: 'data', path: '/srv' } }],
  });

/** `container.json`: one data container. */
export const containerSchema = z
  .strictObject({
    ...fileHead,
    name: hostPart
      .optional()
      .meta({ description: "Name of the project and, after the environment's prefix, of the instance; the folder's name when left out" }),
    description: z
      .string()
      .min(1)
      .meta({ description: 'What it holds, for `nx show project` and `nx graph`', examples: ['Sessions and queues'] }),
    service: z
      .union(
        [z.string().regex(OWN_SERVICE), z.string().regex(/^[a-z][a-z0-9-]*$/)],
        'expected the name of a service of nx-mooring or a file of this folder, ./service.ts',
      )
      .meta({ description: 'A service of nx-mooring by name, or a service file of this folder', examples: ['postgres', './service.ts'] }),
    environments: z
      .array(hostPart)
      .min(1)
      .optional()
      .meta({ description: 'Only in these environments; in all when left out', examples: [['staging', 'prod']] }),
    limits: limitSet.default({}),
    devices: deviceSet.default({}),
    settings: z
      .record(z.string(), z.json())
      .meta({ description: "The service's settings; `${environment}` stands for the environment's name", examples: [{}] }),
  })
  .meta({ title: 'nx-mooring container' });

/** A container as its file has it, defaults filled in. */
export type ContainerFile = z.output<typeof containerSchema>;
