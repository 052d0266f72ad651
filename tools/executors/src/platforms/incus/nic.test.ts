import { describe, expect, it } from 'vitest';
import type { Instance } from '../../engine/instance.ts';
import { addressOf, nicsOn } from './nic.ts';

const HWADDR = '10:66:6a:b1:ff:35';
const NIC = { type: 'nic', name: 'eth0', network: 'veza-net0' };
const VOLATILE = { 'volatile.eth0.hwaddr': HWADDR, 'volatile.eth0.host_name': 'veth9f31dbc6' };

type Interface = NonNullable<NonNullable<Instance['state']>['network']>[string];
type Seen = Record<string, Interface>;

const scoped = (address: string) => ({
  family: address.includes(':') ? 'inet6' : 'inet',
  address,
  scope: address.startsWith('fe80:') ? 'link' : 'global',
});
const interfaceOf = (hwaddr: string, host_name: string, ...all: string[]): Interface => ({ addresses: all.map(scoped), hwaddr, host_name });
const eth0 = (...all: string[]) => interfaceOf(HWADDR, 'veth9f31dbc6', ...all);

function address(network: Seen | null, more: { devices?: Instance['devices']; config?: Record<string, string>; subnets?: string[] } = {}) {
  const { devices = { eth0: NIC }, config = VOLATILE, subnets = ['10.77.0.0/24'] } = more;
  return addressOf({ config, expanded_devices: devices, state: { network } } as unknown as Instance, 'veza-net0', subnets);
}

describe('what is in the container beside its NIC', () => {
  it.each<[string, Seen]>([
    ['a bridge (docker0), which Incus lists first', { docker0: interfaceOf('22:c5:cf:ed:fa:93', '', '172.17.0.1') }],
    ['another bridge, which it lists first too', { br9: interfaceOf('5a:9c:99:38:10:01', '', '10.9.9.1') }],
    ['a bridge in the very subnet', { br9: interfaceOf('5a:9c:99:38:10:01', '', '10.77.0.1') }],
    ['a veth of its own, whose other end Incus looks for on the host', { v1: interfaceOf('82:26:27:2d:4e:43', 'ifb1', '10.9.9.2') }],
    ['a tunnel', { a_tun0: interfaceOf('', '', '10.8.0.1'), wg0: interfaceOf('', '', 'fd00:8::1') }],
    ['a macvlan on it', { a_mv0: interfaceOf('de:76:54:6c:ca:65', '', '10.5.5.5') }],
    ['an address on lo', { lo: interfaceOf('', '', '127.0.0.1', '192.168.99.1') }],
    ['a VLAN on it, which has its MAC address', { 'a.7': interfaceOf(HWADDR, '', '10.6.6.6') }],
  ])('%s does not count', (_, others) => {
    expect(address({ ...others, eth0: eth0('10.77.0.149', 'fe80::1') })).toBe('10.77.0.149');
    if (!('a.7' in others)) expect(address({ ...others, eth0: eth0('fe80::1') })).toBe(undefined);
  });
});

describe('the NIC is known', () => {
  it('by its veth, whatever it is called and whatever MAC address it was given in the container', () => {
    expect(address({ a: interfaceOf('22:22:22:22:22:22', '', '10.1.1.1'), lan: eth0('10.77.0.9') })).toBe('10.77.0.9');
    expect(address({ eth0: interfaceOf('22:22:22:22:22:22', 'veth9f31dbc6', '10.77.0.9') })).toBe('10.77.0.9');
  });

  it('by its MAC address, where it has no veth or is part of a bridge in the container', () => {
    expect(address({ br0: interfaceOf(HWADDR, '', '10.77.0.9'), eth0: eth0() })).toBe('10.77.0.9');
    const macvlan = { eth0: { type: 'nic', nictype: 'macvlan', parent: 'veza-net0', hwaddr: '10:66:6A:B1:FF:35' } };
    expect(
      address({ 'a.7': interfaceOf(HWADDR, '', '10.6.6.6'), m: interfaceOf(HWADDR, '', '10.77.0.9') }, { devices: macvlan, config: {} }),
    ).toBe('10.77.0.9');
  });

  it('by the name that Incus gave, where there is neither (ipvlan)', () => {
    const devices = { lan: { type: 'nic', nictype: 'ipvlan', parent: 'veza-net0' } };
    const seen = { docker0: interfaceOf('', '', '172.17.0.1'), eth3: interfaceOf('aa:aa:aa:aa:aa:aa', '', '10.77.0.9') };
    expect(address(seen, { devices, config: { 'volatile.lan.name': 'eth3' } })).toBe('10.77.0.9');
  });

  it("by the environment's network, where there are several", () => {
    const devices = {
      a: { type: 'nic', network: 'dmz' },
      b: { type: 'nic', nictype: 'bridged', parent: 'veza-net0' },
      c: { type: 'disk', parent: 'veza-net0' },
    };
    const config = { 'volatile.a.hwaddr': '10:66:6a:00:00:0a', 'volatile.b.hwaddr': '10:66:6a:00:00:0b' };
    const seen = { eth0: interfaceOf('10:66:6a:00:00:0a', '', '10.1.0.9'), eth1: interfaceOf('10:66:6a:00:00:0b', '', '10.77.0.9') };
    expect(address(seen, { devices, config })).toBe('10.77.0.9');
    expect(nicsOn('veza-net0', devices).map(({ name }) => name)).toEqual(['b']);
    expect(address(seen, { devices: { a: devices.a }, config })).toBe(undefined);
  });
});

describe('of several addresses of the NIC', () => {
  it("one of the network's own is taken, in whatever order they are", () => {
    expect(address({ eth0: eth0('192.168.98.1', '10.77.0.149') })).toBe('10.77.0.149');
    expect(address({ eth0: eth0('192.168.98.1', 'fd00:77::9') }, { subnets: ['10.77.0.0/24', 'fd00:77::/64'] })).toBe('fd00:77::9');
  });

  it('IPv4 comes before IPv6, and IPv6 alone will do', () => {
    const subnets = ['10.77.0.0/24', 'fd00:77::/64'];
    expect(address({ eth0: eth0('fe80::1', 'fd00:77::9', '10.77.0.9') }, { subnets })).toBe('10.77.0.9');
    expect(address({ eth0: eth0('fe80::1', 'fd00:77::9') }, { subnets })).toBe('fd00:77::9');
  });

  it('the first IPv4 is taken, where Incus knows nothing of the network (not managed)', () => {
    expect(address({ eth0: eth0('fd00:77::9', '192.168.98.1', '10.77.0.149') }, { subnets: [] })).toBe('192.168.98.1');
  });
});

it('one that does not run has none', () => {
  expect(address(null)).toBe(undefined);
  expect(address({ eth0: eth0() })).toBe(undefined);
});
