import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperties, FEATURES, MOUNT, NET, parseStrictly, QEMU_IPCONFIG, QEMU_NET, ROOTFS } from './formats.ts';
import { canonical, PropertyError, parseProperties, parseSize, printProperties, printSize } from './property-string.ts';

describe('a property string', () => {
  it('keeps its order, so that a change is one change', () => {
    const text = 'name=eth0,bridge=vmbr0,firewall=1,hwaddr=BC:24:11:00:00:01,ip=10.0.0.5/24,gw=10.0.0.1,type=veth';
    const net = parseProperties(NET, text);
    expect(printProperties(NET, net)).toBe(text);
    expect(printProperties(NET, { ...net, ip: '10.0.0.6/24' })).toBe(text.replace('10.0.0.5', '10.0.0.6'));
  });

  it('keeps keys that a newer Proxmox has put there', () => {
    const text = 'name=eth0,colour=blue,bridge=vmbr0';
    expect(printProperties(NET, parseProperties(NET, text))).toBe(text);
  });

  it('has one key that may be left out', () => {
    const disk = parseProperties(MOUNT, 'local-zfs:subvol-1-disk-0,mp=/srv,backup=yes,size=8192M');
    expect(disk).toEqual({ volume: 'local-zfs:subvol-1-disk-0', mp: '/srv', backup: '1', size: '8192M' });
    expect(printProperties(MOUNT, disk)).toBe('local-zfs:subvol-1-disk-0,mp=/srv,backup=1,size=8192M');
    expect(printProperties(MOUNT, canonical(MOUNT, disk))).toBe('local-zfs:subvol-1-disk-0,mp=/srv,backup=1,size=8G');
  });

  it("reads a QEMU guest's shorthand for model and MAC", () => {
    expect(parseProperties(QEMU_NET, 'virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1')).toEqual({
      model: 'virtio',
      macaddr: 'BC:24:11:00:00:01',
      bridge: 'vmbr0',
      firewall: '1',
    });
    expect(parseProperties(QEMU_IPCONFIG, 'ip=10.0.0.9/24,gw=10.0.0.1').ip).toBe('10.0.0.9/24');
    expect(() => parseProperties(QEMU_NET, 'virtio=a,e1000=b')).toThrow("key alias 'model' is already defined");
  });

  it.each([
    [NET, 'eth0', 'value without key'],
    [NET, 'name=', 'missing key'],
    [NET, 'name=a,name=b', 'duplicate key in comma-separated list property: name'],
    [ROOTFS, 'a,b', 'duplicate key in comma-separated list property: volume'],
  ])('%# refuses %s', (format, text, message) => {
    expect(() => parseProperties(format, text)).toThrow(message);
  });

  it.each<Record<string, string>>([{ name: 'a,b' }, { name: 'a\nb' }, { name: '' }, { 'a,b': 'c' }, { '': 'x' }, { name: 'a\0b' }])(
    '%o cannot be written',
    (properties) => {
      expect(() => printProperties(NET, properties)).toThrow(PropertyError);
    },
  );

  it('read again is what was written, whatever can be written', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(part, fc.constantFrom('volume', 'mp', 'size', '__proto__')), part), (properties) => {
        let text: string;
        try {
          text = printProperties(MOUNT, properties);
        } catch (error) {
          expect(error).toBeInstanceOf(PropertyError);
          return;
        }
        // A boolean is written in many ways and read in one.
        const read = parseProperties(MOUNT, text);
        expect(Object.keys(read)).toEqual(Object.keys(properties));
        expect(parseProperties(MOUNT, printProperties(MOUNT, read))).toEqual(read);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is to be sent', () => {
  it('is refused with everything that is wrong with it', () => {
    expect(() => parseStrictly(NET, 'bridge=vm br0,ip=10.0.0.5,vlan=4')).toThrow(
      /there is no property vlan; there are name, bridge, .*; name is missing; bridge=vm br0: expected letters.*; ip=10.0.0.5: expected an address in CIDR notation/,
    );
    expect(() => checkProperties(FEATURES, { nesting: 'maybe' })).toThrow('nesting=maybe: expected 0 or 1');
  });
});

it.each([
  ['8G', 8 * 1024 ** 3, '8G'],
  ['1.5T', 1.5 * 1024 ** 4, '1536G'],
  ['512', 512, '512'],
  ['1024K', 1024 ** 2, '1M'],
  ['0', 0, '0'],
])('the size %s is %d bytes, and is printed %s', (text, bytes, printed) => {
  expect([parseSize(text), printSize(bytes)]).toEqual([bytes, printed]);
});
