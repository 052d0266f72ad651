import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { type Properties, PropertyError, type PropertyFormat, type PropertyRule, parseProperties } from './property-string.ts';

/** A format whose values can be checked here, before anything is sent. */
export type CheckedFormat = Readonly<Record<string, PropertyRule & { readonly check: z.ZodType<string> }>>;

type Rule = PropertyRule & { readonly check: z.ZodType<string> };

const flag: Rule = { type: 'boolean', optional: 1, check: z.enum(['0', '1'], 'expected 0 or 1') };
const word = z.string().regex(/^[-_.\w]+$/, 'expected letters, digits, ".", "_" and "-"');
const optional = (check: z.ZodType<string>, more: PropertyRule = {}): Rule => ({ type: 'string', optional: 1, check, ...more });
const number = (min: number, max: number) =>
  z
    .string()
    .refine((text) => /^\+?\d+$/.test(text) && Number(text) >= min && Number(text) <= max, `expected a whole number of ${min} to ${max}`);

const strictIPv4 = z.string().refine(isIPv4, 'expected an IPv4 address');
const isPlainIPv6 = (text: string) => isIPv6(text) && !text.includes('%');
const strictIPv6 = z.string().refine(isPlainIPv6, 'expected an IPv6 address');
/** Proxmox wants a length of 8 to 32 (IPv4) and 8 to 128 (IPv6). */
const cidr = (isAddress: (text: string) => boolean, max: number) => (text: string) => {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  return isAddress(address) && Number(length) >= 8 && Number(length) <= max;
};
const ipv4Config = z
  .string()
  .refine((text) => ['dhcp', 'manual'].includes(text) || cidr(isIPv4, 32)(text), 'expected an address in CIDR notation, dhcp or manual');
const ipv6Config = z
  .string()
  .refine(
    (text) => ['auto', 'dhcp', 'manual'].includes(text) || cidr(isPlainIPv6, 128)(text),
    'expected an address in CIDR notation, auto, dhcp or manual',
  );
const unicastMac = z.string().regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i, 'expected a unicast MAC address, such as BC:24:11:00:00:01');
const diskSize = optional(z.string().regex(/^\d+(\.\d+)?[KMGT]?$/, 'expected a size such as 8G'), { format: 'disk-size' });
const path = z.string().refine((text) => !/(^|\/)\.\.?\/|\/\.\.?$/.test(text), 'a path must not have "." or ".." in it');
const MOUNT_OPTION = '(discard|lazytime|noatime|nodev|noexec|nosuid)';

/** `netN` of an LXC guest. */
export const NET: CheckedFormat = {
  name: { type: 'string', check: word },
  bridge: optional(word),
  firewall: flag,
  gw: optional(strictIPv4),
  gw6: optional(strictIPv6),
  'host-managed': flag,
  hwaddr: optional(unicastMac),
  ip: optional(ipv4Config),
  ip6: optional(ipv6Config),
  link_down: flag,
  mtu: optional(number(64, 65535), { type: 'integer' }),
  rate: optional(z.string().regex(/^[+-]?(\d+\.\d*|\.\d+|\d+)(e[+-]?\d+)?$/i, 'expected a number'), { type: 'number' }),
  tag: optional(number(1, 4094), { type: 'integer' }),
  trunks: optional(z.string().regex(/^\d+(;\d+)*$/, 'expected VLAN numbers with ";" between them')),
  type: optional(z.enum(['veth'], 'expected veth')),
};

/** `rootfs` of an LXC guest. */
export const ROOTFS: CheckedFormat = {
  volume: { type: 'string', default_key: 1, check: path },
  acl: flag,
  mountoptions: optional(
    z.string().regex(new RegExp(`^${MOUNT_OPTION}(;${MOUNT_OPTION})*$`), 'expected mount options, such as noatime;discard'),
  ),
  quota: flag,
  replicate: flag,
  ro: flag,
  shared: flag,
  size: diskSize,
};

/** `mpN` of an LXC guest. */
export const MOUNT: CheckedFormat = { ...ROOTFS, backup: flag, keepattrs: flag, mp: { type: 'string', check: path } };

/** `features` of an LXC guest. */
export const FEATURES: CheckedFormat = {
  force_rw_sys: flag,
  fuse: flag,
  keyctl: flag,
  mknod: flag,
  mount: optional(z.string().regex(/^[a-zA-Z0-9_; ]+$/, 'expected names of file systems with ";" between them')),
  nesting: flag,
};

/**
 * Reads a property string and refuses what Proxmox would refuse: unknown, missing and ill-formed properties. For what is to be sent.
 * What Proxmox has stored is read with `parseProperties`.
 *
 * @throws PropertyError that names every property that is wrong
 */
export function parseStrictly(format: CheckedFormat, text: string): Properties {
  const properties = parseProperties(format, text);
  checkProperties(format, properties);
  return properties;
}

/** Refuses properties that Proxmox would refuse. @throws PropertyError that names every one that is wrong */
export function checkProperties(format: CheckedFormat, properties: Properties): void {
  const unknown = Object.keys(properties).filter((key) => !Object.hasOwn(format, key));
  const missing = Object.keys(format).filter((key) => !format[key]?.optional && properties[key] === undefined);
  const wrong = Object.entries(properties).flatMap(([key, value]) => {
    const result = Object.hasOwn(format, key) ? format[key]?.check.safeParse(value) : undefined;
    return result === undefined || result.success ? [] : [`${key}=${value}: ${result.error.issues[0]?.message}`];
  });
  const problems = [
    ...unknown.map((key) => `there is no property ${key}; there are ${Object.keys(format).join(', ')}`),
    ...missing.map((key) => `${key} is missing`),
    ...wrong,
  ];
  if (problems.length > 0) throw new PropertyError(problems.join('; '));
}

/** `model=MAC` of a QEMU guest's network device stands for `model` and `macaddr`; the models that Proxmox has. */
const QEMU_MODELS =
  'e1000 e1000-82540em e1000-82544gc e1000-82545em e1000e i82551 i82557b i82559er ne2k_isa ne2k_pci pcnet rtl8139 virtio vmxnet3'.split(
    ' ',
  );

/** `netN` of a QEMU guest, as far as it is read here. */
export const QEMU_NET: PropertyFormat = {
  model: { type: 'string', default_key: 1 },
  macaddr: { type: 'string', optional: 1 },
  bridge: { type: 'string', optional: 1 },
  ...Object.fromEntries(QEMU_MODELS.map((model) => [model, { alias: 'macaddr', keyAlias: 'model' }])),
};

/** `ipconfigN` of a QEMU guest: what cloud-init is told. */
export const QEMU_IPCONFIG: PropertyFormat = Object.fromEntries(
  ['gw', 'gw6', 'ip', 'ip6'].map((key) => [key, { type: 'string', optional: 1 }]),
);
