import { z } from 'zod';
import { hostAlias, relativePath } from '../engine/names.ts';
import { secretReference } from '../engine/secret-reference.ts';
import { guestDefaults } from './app-guest.ts';
import { keyOrFile } from './keys.ts';

const accountName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'expected the name of a user');

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  // The origin never has the port that https has anyway.
  const given = text.toLowerCase().replace(/:443(?=\/?$)/, '');
  return url?.protocol === 'https:' && [url.origin, `${url.origin}/`].includes(given);
}

/** `proxmox` of an environment: the Proxmox VE that its guests live on, and how they are reached. */
export const proxmoxSchema = z
  .strictObject({
    url: z
      .string()
      .refine(isOrigin, 'expected an https address: scheme, host and port only')
      .meta({ description: 'Address of its API', examples: ['https://pve.example.org:8006'] }),
    node: z
      .string()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/, 'expected the name of a node')
      .default('pve')
      .meta({ description: 'Node of the guests' }),
    tokenId: z
      .string()
      .regex(/^[^\s:/@!]+@[A-Za-z][A-Za-z0-9._-]+![A-Za-z][A-Za-z0-9._-]+$/, 'expected the id of an API token')
      .meta({ description: 'API token: user, realm and name', examples: ['mooring@pve!deploy'] }),
    tokenSecret: secretReference.meta({ description: 'Its secret' }),
    fingerprint: z
      .string()
      .regex(/^(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/, 'expected a SHA-256 fingerprint')
      .optional()
      .meta({ description: 'SHA-256 fingerprint of its certificate; or `ca`', examples: ['AB:CD:…'] }),
    ca: relativePath
      .optional()
      .meta({ description: 'File of the CA that its certificate is proved by; or `fingerprint`', examples: ['infra/pve-root-ca.pem'] }),
    ...guestDefaults,
    user: accountName
      .default('root')
      .meta({ description: 'Who logs in to the guests; with another than root, by sudo without a password' }),
    authorizedKeys: z
      .array(keyOrFile)
      .default([])
      .meta({ description: 'Who may log in to the guests', examples: [['ssh-ed25519 AAAA… you@machine']] }),
    knownHosts: relativePath.optional().meta({
      description: "Where the guests' host keys are kept; infra/environments/<name>.known_hosts when left out",
      examples: ['.lab/known_hosts'],
    }),
    knownElsewhere: z
      .array(z.int())
      .default([])
      .meta({
        description: 'Guests whose addresses are set inside of them, where they cannot be seen, and that are known to have others',
        examples: [[120]],
      }),
    acceptHostKeys: z.boolean().default(false).meta({
      description: 'Record host keys of new guests without `--accept-host-key`, after the same proof; for guests that come and go',
    }),
    probe: hostAlias.optional().meta({
      description: 'A host in the network of the guests that can be asked who has an address (ARP)',
      examples: ['local', 'pve-node'],
    }),
  })
  .refine(({ fingerprint, ca }) => (fingerprint === undefined) !== (ca === undefined), {
    error: 'expected either fingerprint or ca: without one of them anybody could be given the token',
  })
  .meta({ description: "The Proxmox VE of the environment's guests" });

/** The Proxmox VE of an environment as its file has it, defaults filled in. */
export type Proxmox = z.output<typeof proxmoxSchema>;

/**
 * Where the host keys of an environment's guests are kept.
 *
 * @param infra folder of all that is deployed, relative to the workspace
 * @returns relative to the workspace
 */
export function knownHostsFile(
  infra: string,
  environment: { readonly name: string; readonly proxmox?: { readonly knownHosts?: string | undefined } | undefined },
): string {
  return environment.proxmox?.knownHosts ?? `${infra}/environments/${environment.name}.known_hosts`;
}
