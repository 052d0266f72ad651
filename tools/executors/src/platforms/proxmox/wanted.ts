import type { Secret } from '../../engine/secret.ts';
import { NET, parseStrictly } from './formats.ts';
import { type Properties, printProperties } from './property-string.ts';

/** A guest as it is described. What is left out is Proxmox's or whoever set it: it is not touched. */
export type WantedGuest = {
  readonly node: string;
  readonly vmid: number;
  /** Host name. */
  readonly name: string;
  /** `10.20.0.101/24`. */
  readonly ip: string;
  readonly gateway: string;
  readonly firewall: boolean;
  readonly start: boolean;
  readonly cores?: number | undefined;
  /** MiB. */
  readonly memory?: number | undefined;
  readonly swap?: number | undefined;
  /** GiB. */
  readonly disk?: number | undefined;
  readonly storage?: string | undefined;
  readonly bridge?: string | undefined;
  readonly template?: string | undefined;
  readonly nameserver?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly features?: Features | undefined;
  readonly onBoot?: boolean | undefined;
  readonly password?: Secret | undefined;
  /** Whose it is: environment and project. */
  readonly owner: string;
};

export type Features = {
  readonly nesting: boolean;
  readonly keyctl?: boolean | undefined;
  readonly fuse?: boolean | undefined;
  readonly mknod?: boolean | undefined;
  readonly mount?: readonly string[] | undefined;
};

/** Its one interface, over what is there already: the MAC address and all that is not described stay as they are. */
export function interfaceOf(wanted: WantedGuest, bridge: string | undefined, now: Properties = {}): string {
  const { firewall: _, ...kept } = now;
  const text = printProperties(NET, {
    ...kept,
    name: now.name ?? 'eth0',
    ...(bridge === undefined ? {} : { bridge }),
    ...(wanted.firewall ? { firewall: '1' } : {}),
    gw: wanted.gateway,
    ip: wanted.ip,
  });
  parseStrictly(NET, text);
  return text;
}

/** Features as Proxmox writes them. */
export function featuresOf({ mount, ...flags }: Features): string {
  const on = Object.entries(flags).flatMap(([name, value]) => (value ? [`${name}=1`] : []));
  return [...on, ...(mount === undefined ? [] : [`mount=${mount.join(';')}`])].sort().join(',');
}

const MARK = /^nx-mooring: (\S+)$/m;

/** What a guest's description says of whose it is; nothing when it is not ours. */
export function ownerOf(description: string | undefined): string | undefined {
  return MARK.exec(description ?? '')?.[1];
}

/** The description with our mark in it; what else it says stays. */
export function withOwner(description: string | undefined, owner: string): string {
  const others = (description ?? '')
    .split('\n')
    .filter((line) => !MARK.test(line))
    .join('\n')
    .trim();
  return `${others === '' ? '' : `${others}\n\n`}nx-mooring: ${owner}\n`;
}
