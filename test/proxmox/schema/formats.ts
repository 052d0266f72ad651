import { isIP, isIPv4, isIPv6 } from 'node:net';
import { perlPattern, splitList } from './perl.ts';

/** Gives back what is wrong with a value, or nothing. */
type Check = (value: string) => string | undefined;

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const matches =
  (pattern: string, message: string | ((value: string) => string)): Check =>
  (value) =>
    perlPattern(pattern).test(value) ? undefined : typeof message === 'string' ? message : message(value);

const is =
  (test: (value: string) => boolean, message: string | ((value: string) => string)): Check =>
  (value) =>
    test(value) ? undefined : typeof message === 'string' ? message : message(value);

const identifier =
  (kind: string): Check =>
  (value) => {
    if (value.length < 2) return `${kind} ID '${value}' cannot be shorter than 2 characters`;
    return perlPattern('(?i:[a-z][a-z0-9\\-_.]*[a-z0-9])').test(value) ? undefined : `${kind} ID '${value}' contains illegal characters`;
  };

const strictIPv6 = (text: string) => isIPv6(text) && !text.includes('%');
const strictIP = (text: string) => isIPv4(text) || strictIPv6(text);
const cidr = (isAddress: (text: string) => boolean, max: number) => (text: string) => {
  const [, address = '', length = ''] = /^([^/]+)\/(\d+)\n?$/.exec(text) ?? [];
  return isAddress(address) && Number(length) > 7 && Number(length) <= max;
};
const cidr4 = cidr(isIPv4, 32);
const cidr6 = cidr(strictIPv6, 128);
const dotted = /\/\.\.?\/|\/\.\.?\n?$/;

const ZONES = new Set(Intl.supportedValuesOf('timeZone'));

const FORMATS: Readonly<Record<string, Check>> = {
  'pve-node': matches(LABEL, 'value does not look like a valid node name'),
  'pve-vmid': matches('[1-9][0-9]{2,8}', 'value does not look like a valid VM ID'),
  'pve-configid': matches('(?i:[a-z][a-z0-9_-]+)', (value) => `invalid configuration ID '${value}'`),
  'pve-storage-id': identifier('storage'),
  'pve-poolid': matches('[A-Za-z0-9.\\-_]+(?:/[A-Za-z0-9.\\-_]+){0,2}', (value) => `pool name '${value}' contains invalid characters`),
  'dns-name': matches(`(?:${LABEL}\\.)*${LABEL}`, 'value does not look like a valid DNS name'),
  'mac-addr': matches('(?i:[a-f0-9][02468ace](?::[a-f0-9]{2}){5})', 'value does not look like a valid unicast MAC address'),
  ip: is(strictIP, 'value does not look like a valid IP address'),
  ipv4: is(isIPv4, 'value does not look like a valid IPv4 address'),
  ipv6: is(strictIPv6, 'value does not look like a valid IPv6 address'),
  'pve-ipv4-config': is(
    (value) => /^(?:dhcp|manual)\n?$/.test(value) || cidr4(value),
    'value does not look like a valid ipv4 network configuration',
  ),
  'pve-ipv6-config': is(
    (value) => /^(?:auto|dhcp|manual)\n?$/.test(value) || cidr6(value),
    'value does not look like a valid ipv6 network configuration',
  ),
  'lxc-ip-with-ll-iface': is(
    (value) => strictIP(value) || (/^fe80:/i.test(value) && isIP(value) === 6),
    'value does not look like a valid IP address',
  ),
  'disk-size': matches('\\d+(?:\\.\\d+)?[KMGT]?', (value) => `value does not look like a valid disk size: ${value}`),
  'pve-volume-id': matches('(?i:[a-z][a-z0-9\\-_.]*[a-z0-9]):.+', (value) => `unable to parse volume ID '${value}'`),
  'pve-lxc-mp-string': is(
    (value) => !dotted.test(value) && !/^\.\.?\//.test(value),
    (value) => `${value} contains illegal character sequences`,
  ),
  'pve-lxc-dev-string': is(
    (value) => !dotted.test(value) && value.startsWith('/dev/'),
    (value) => `${value} is not a valid device path`,
  ),
  'pve-startup-order': is(
    (value) =>
      value !== '' && value !== '0' && value.split(',').every((part) => /^\s*$|^(order=)?\d+\n?$|^up=\d+\n?$|^down=\d+\n?$/.test(part)),
    'unable to parse startup options',
  ),
  'pve-ct-timezone': is(
    (value) => value === 'host' || value === 'UTC' || ZONES.has(value),
    (value) => `invalid time zone '${value}'`,
  ),
  'pve-tag': matches('(?i:[a-z0-9_][a-z0-9_\\-+.]*)', 'invalid characters in tag'),
  'pve-storage-content': matches('images|rootdir|vztmpl|iso|backup|snippets|import|none', (value) => `invalid content type '${value}'`),
  'pve-bridge-id': matches('[a-zA-Z][a-zA-Z0-9\\-_.:]*', 'invalid bridge ID'),
};

/** Checks a value against a named format, be it a list of it. @returns what is wrong, as the API says it, or nothing */
export function checkNamed(format: string, value: string): string | undefined {
  const [, name = format, kind] = /^(.*?)(?:-(list|opt))?$/.exec(format) ?? [];
  const check = FORMATS[name];
  if (check === undefined) throw new Error(`the double does not know the format ${format}: add it to ${import.meta.filename}`);
  if (kind === 'opt' && (value === '' || value === '0')) return undefined;
  if (kind !== 'list') return check(value);
  return splitList(value)
    .map(check)
    .find((wrong) => wrong !== undefined);
}
