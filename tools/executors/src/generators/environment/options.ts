import { z } from 'zod';
import { hostAlias, hostPart, incusName } from '../../engine/names.ts';
import { names } from '../../engine/option-fields.ts';

const optional = (description: string, example: string) =>
  z
    .string()
    .min(1)
    .optional()
    .meta({ description, examples: [example] });

/** Options of `nx g nx-mooring:environment <name>`. What they write is checked by the environment's own schema. */
export const environmentOptions = z.strictObject({
  name: hostPart.meta({
    description: 'Name of the environment, and of a configuration of every project',
    examples: ['staging'],
    $default: { $source: 'argv', index: 0 },
    'x-prompt': 'What is the environment called?',
  }),
  on: z
    .enum(['incus', 'proxmox', 'both'])
    .default('incus')
    .meta({ description: 'Data containers on Incus, guests of applications on Proxmox VE, or both' }),
  description: optional('What it is, for people', 'Staging, on the small host'),
  host: hostAlias.optional().meta({
    description: 'Incus: `local`, or a host alias of the SSH configuration; the name of the environment when left out',
    examples: ['veza-staging'],
  }),
  project: incusName.default('default').meta({ description: 'Incus: project of the containers' }),
  profiles: names('Incus: profiles of the containers; `default` when left out', 'veza-data,veza-net'),
  image: z.string().default('debian/12').meta({ description: 'Incus: alias of the image' }),
  network: incusName.default('incusbr0').meta({ description: 'Incus: network of the containers' }),
  prefix: optional("Incus: before the containers' names; the environment's name and a hyphen when left out", 'veza-staging-'),
  url: optional('Proxmox: address of its API', 'https://pve.example.org:8006'),
  tokenId: optional('Proxmox: API token; its secret is PROXMOX_TOKEN_SECRET', 'mooring@pve!deploy'),
  fingerprint: optional('Proxmox: SHA-256 fingerprint of its certificate; or `ca`', 'AB:CD:…'),
  ca: optional('Proxmox: file of the CA of its certificate; or `fingerprint`', 'infra/pve-root-ca.pem'),
  authorizedKeys: names('Proxmox: who may log in to the guests: .pub files of the workspace', 'infra/team.pub'),
});
export type EnvironmentOptions = z.output<typeof environmentOptions>;
