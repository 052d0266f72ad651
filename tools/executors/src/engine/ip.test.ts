import { BlockList, isIPv4 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isInNetwork, networkOf, parseInterface } from './ip.ts';

describe('the network of an address', () => {
  it.each([
    ['10.77.0.1/24', '10.77.0.0/24'],
    ['172.20.143.89/32', '172.20.143.89/32'],
    ['10.1.2.3/9', '10.0.0.0/9'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['10.9.8.7/0', '0.0.0.0/0'],
    ['fd42:1:2:3::1/64', 'fd42:1:2:3::/64'],
    ['FD00:ABCD::1/32', 'fd00:abcd::/32'],
    ['fd00:0:0:1:0:0:0:1/128', 'fd00:0:0:1::1/128'],
    ['::1/0', '::/0'],
    // Embedded IPv4: the last two groups.
    ['64:ff9b::192.0.2.0/120', '64:ff9b::c000:200/120'],
    ['64:ff9b::192.0.2.77/96', '64:ff9b::/96'],
    // IPv4-compatible (RFC 4291, 2.5.5.1): no IPv4 network.
    ['::10.9.0.0/104', '::a00:0/104'],
    ['::10.0.0.1/120', '::a00:0/120'],
    ['::0.0.0.1/128', '::1/128'],
    // IPv4-mapped: PostgreSQL and the others see such clients with their IPv4 addresses.
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['::FFFF:0a01:0203/128', '10.1.2.3/32'],
    ['::ffff:10.1.2.3/96', '0.0.0.0/0'],
    ['::ffff:10.1.2.3/80', '::/80'],
  ])('of %s is %s', (cidr, network) => expect(networkOf(cidr)).toBe(network));

  it.each([
    ...['', '10.0.0.0', '/24', '10.0.0/24', '010.0.0.0/8', '0x0a.0.0.0/8', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/ 8'],
    ...[
      '10.0.0.0/8/8',
      ' 10.0.0.0/8',
      '10.0.0.256/8',
      'fe80::1%eth0/64',
      'fd00::1/129',
      'fd00::1::/64',
      '::1.2.3.04/128',
      'fd00:12345::/64',
    ],
  ])("of '%s' is refused", (text) => expect(() => networkOf(text)).toThrow('is not a network in CIDR notation'));
});

it('an interface has its network and the last address of it', () => {
  expect(parseInterface('10.20.0.101/22')).toEqual({ address: '10.20.0.101', prefix: 22, network: '10.20.0.0', broadcast: '10.20.3.255' });
  expect(parseInterface('192.0.2.7/32')).toMatchObject({ network: '192.0.2.7', broadcast: '192.0.2.7' });
  expect(parseInterface('2001:DB8::7/112')).toMatchObject({ address: '2001:db8::7', broadcast: '2001:db8::ffff' });
});

it('an address of the other family, and what is no address, is in no network', () => {
  expect(isInNetwork('10.0.0.1', '::/0')).toBe(false);
  expect(isInNetwork('fd00::1', '0.0.0.0/0')).toBe(false);
  expect(isInNetwork('::ffff:10.0.0.1', '10.0.0.0/8')).toBe(true);
  expect(isInNetwork('eth0', '10.0.0.0/8')).toBe(false);
});

describe("for thousands of networks, Node's own BlockList says the same", () => {
  // A generator of our own, so that a failure comes again.
  let state = 20261130;
  const below = (end: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
  const v4 = () => [below(256), below(256), below(256), below(256)].join('.');
  const group = () => (below(3) === 0 ? 0 : below(65536));
  const v6 = () => {
    const groups = Array.from({ length: 8 }, group);
    const text = groups.map((one) => (below(2) ? one.toString(16) : one.toString(16).toUpperCase().padStart(4, '0')));
    return below(4) === 0 ? `${text.slice(0, 6).join(':')}:${v4()}` : text.join(':');
  };
  it.each([
    ['IPv4', v4, 32],
    ['IPv6', v6, 128],
  ] as const)('%s', (_, address, bits) => {
    for (let i = 0; i < 3000; i++) {
      const [one, length] = [address(), below(bits + 1)];
      const network = networkOf(`${one}/${length}`);
      const base = network.slice(0, network.indexOf('/'));
      const family = isIPv4(base) ? 'ipv4' : 'ipv6';
      const reference = new BlockList();
      reference.addSubnet(base, length, family);
      expect([one, network, reference.check(one, family)]).toEqual([one, network, true]);
      expect(networkOf(network)).toBe(network);
      // The base has no host bit: the whole network is in every wider one that the address is in, and the address before it is not.
      const { broadcast } = parseInterface(network);
      expect(reference.check(broadcast, family)).toBe(true);
      const other = address();
      expect([other, network, isInNetwork(other, network)]).toEqual([other, network, reference.check(other, family)]);
      expect(bitsOf(base).slice(length)).toMatch(/^0*$/);
      expect(bitsOf(broadcast).slice(length)).toMatch(/^1*$/);
    }
  });
});

/** All bits, by the WHATWG parser of addresses in URLs and not by the library. */
function bitsOf(address: string): string {
  if (isIPv4(address))
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':'));
  const missing = tail === undefined ? 0 : 8 - words(head).length - words(tail).length;
  return [...words(head), ...Array<string>(missing).fill('0'), ...words(tail ?? '')]
    .map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0'))
    .join('');
}
