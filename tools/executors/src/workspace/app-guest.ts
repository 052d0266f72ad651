import { z } from 'zod';
import { branch, variables } from '../apps/fields.ts';
import { HOST_PART } from '../engine/names.ts';
import { secretReference } from '../engine/secret-reference.ts';

/** An address of a guest with the length of its network. A /31 has no host that is not a gateway. */
const guestAddress = z
  .string()
  .refine(
    (text) => z.cidrv4().safeParse(text).success && /\/(?:[89]|[12]\d|30)$/.test(text),
    'expected an IPv4 address with the length of its network, 8 to 30',
  )
  .meta({ description: 'Static address', examples: ['10.20.0.101/24'] });

const storageId = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$/, 'expected the id of a Proxmox storage');
const mib = (least: number) => z.int().min(least).max(4_194_304);

/** What a guest may take from the environment's `proxmox` as well. */
export const guestDefaults = {
  storage: storageId.optional().meta({ description: 'Storage of the root disk', examples: ['local-zfs'] }),
  bridge: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,14}$/, 'expected the name of a bridge or VNet')
    .optional()
    .meta({ description: 'Bridge of the interface', examples: ['vmbr0'] }),
  template: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9._-]*:vztmpl\/[\w.+-]+$/, 'expected a template volume')
    .optional()
    .meta({ description: 'Template that a guest is created from', examples: ['local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst'] }),
  nameserver: z
    .array(z.union([z.ipv4(), z.ipv6()], 'expected an IP address'))
    .min(1)
    .optional()
    .meta({ description: "Resolvers; the node's when left out", examples: [['10.20.0.1']] }),
};

/** One guest: an application in one environment. */
export const guestSchema = z.strictObject({
  name: z
    .string()
    .max(63)
    .regex(HOST_PART, 'expected a host name: lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen')
    .meta({ description: 'Host name', examples: ['pote-dev'] }),
  vmid: z
    .int()
    .min(100)
    .max(999_999_999)
    .meta({ description: "Proxmox's number of the guest", examples: [201] }),
  ip: guestAddress,
  gateway: z.ipv4('expected an IPv4 address').meta({ description: 'Default gateway, inside of the network', examples: ['10.20.0.1'] }),
  branch: branch.meta({ description: 'Branch that is deployed', examples: ['main'] }),
  envVars: variables.default({}).meta({
    description: "The application's variables in this environment",
    examples: [{ LOG_LEVEL: 'info', API_KEY: { secret: 'API_KEY' } }],
  }),
  cores: z.int().min(1).max(8192).optional().meta({ description: 'Cores; 1 at creation when left out' }),
  memory: mib(16).optional().meta({ description: 'Memory in MiB; 1024 at creation when left out' }),
  swap: mib(0).optional().meta({ description: 'Swap in MiB; 512 at creation when left out' }),
  disk: z.int().min(1).max(131_072).optional().meta({ description: 'Root disk in GiB; 8 at creation when left out. It can only grow' }),
  ...guestDefaults,
  tags: z
    .array(z.string().regex(/^[a-z0-9_][a-z0-9_+.-]*$/, 'expected a tag of Proxmox: lower-case letters, digits and _ + . -'))
    .optional()
    .meta({ description: 'Tags in Proxmox', examples: [['app', 'pote']] }),
  features: z
    .strictObject({
      nesting: z.boolean().default(true),
      keyctl: z.boolean().optional(),
      fuse: z.boolean().optional(),
      mknod: z.boolean().optional(),
      mount: z
        .array(z.string().regex(/^[a-z0-9]+$/))
        .min(1)
        .optional(),
    })
    .optional()
    .meta({ description: 'Features of the container; `nesting` alone when left out. Proxmox lets only root@pam set the others' }),
  onBoot: z.boolean().optional().meta({ description: 'Start with the node; yes at creation when left out' }),
  password: secretReference.optional().meta({ description: "root's password on the console; none when left out, and SSH never takes it" }),
  start: z.boolean().default(true).meta({ description: 'Start it' }),
  firewall: z.boolean().default(true).meta({ description: "The interface goes through Proxmox's firewall" }),
});

/** A guest as its file has it, defaults filled in. */
export type GuestFile = z.output<typeof guestSchema>;
