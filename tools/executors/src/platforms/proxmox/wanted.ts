import type { GuestFeatures, WantedGuest } from '../../engine/guest-platform.ts';
import { NET, parseStrictly } from './formats.ts';
import { type Properties, printProperties } from './property-string.ts';

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
export function featuresOf({ mount, ...flags }: GuestFeatures): string {
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
