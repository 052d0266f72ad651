import { describe, expect, it } from 'vitest';
import type { WantedGuest } from '../../engine/guest-platform.ts';
import { Secret } from '../../engine/secret.ts';
import { showChange, showDifference } from '../../engine/show-change.ts';
import type { Guest } from './config.ts';
import { AT_CREATION, createParams } from './create.ts';
import { planGuest } from './reconcile.ts';
import { ownerOf, withOwner } from './wanted.ts';

const wanted: WantedGuest = {
  node: 'pve',
  vmid: 201,
  name: 'pote-dev',
  ip: '10.20.0.101/24',
  gateway: '10.20.0.1',
  firewall: true,
  start: true,
  owner: 'dev/pote',
};
const options = {
  hostname: 'pote-dev',
  cores: '2',
  memory: '1024',
  swap: '512',
  onboot: '1',
  unprivileged: '1',
  features: 'nesting=1',
  arch: 'amd64',
  ostype: 'debian',
  rootfs: 'local-zfs:subvol-201-disk-0,size=8G',
  net0: 'name=eth0,bridge=vmbr0,firewall=1,gw=10.20.0.1,hwaddr=BC:24:11:00:00:01,ip=10.20.0.101/24,type=veth',
  description: 'nx-mooring: dev/pote\n',
};
const digest = 'a'.repeat(40);
/** The guest as described, but for some options; `now` is what it still runs with. */
function guest(more: Record<string, string> = {}, now: Record<string, string> = {}, status: 'running' | 'stopped' = 'running'): Guest {
  const next = { ...options, ...more };
  return {
    node: 'pve',
    vmid: 201,
    config: { digest, options: next, lxc: [] },
    current: { digest, options: { ...next, ...now }, lxc: [] },
    pending: [],
    status: { status },
  };
}
/** A plan as it is read: each field with how it is applied, then the calls. */
function shown(over: Partial<WantedGuest>, is: Guest): string[] {
  const { changes, config, resize } = planGuest({ ...wanted, ...over }, is);
  return [
    ...changes.map((change) => `${change.how}: ${showChange(change)}: ${showDifference(change).join(', ')}`),
    ...(config === undefined ? [] : [`PUT config ${JSON.stringify({ ...config, digest: config.digest === digest ? 'sent' : 'WRONG' })}`]),
    ...(resize === undefined ? [] : [`PUT resize ${JSON.stringify({ ...resize, digest: resize.digest === digest ? 'sent' : 'WRONG' })}`]),
  ];
}

describe('a guest that is as described', () => {
  it.each<[string, Partial<WantedGuest>, Guest]>([
    ['in what is described', {}, guest()],
    [
      'in everything',
      { cores: 2, memory: 1024, swap: 512, disk: 8, storage: 'local-zfs', bridge: 'vmbr0', onBoot: true, features: { nesting: true } },
      guest(),
    ],
    [
      'with properties in another order',
      {},
      guest({ net0: 'ip=10.20.0.101/24,hwaddr=BC:24:11:00:00:01,name=eth0,firewall=1,type=veth,gw=10.20.0.1,bridge=vmbr0' }),
    ],
    ['with a firewall that is said to be off', { firewall: false }, guest({ net0: options.net0.replace('firewall=1', 'firewall=0') })],
    ['with tags in another order', { tags: ['app', 'pote'] }, guest({ tags: 'pote;app' })],
    ['with resolvers written otherwise', { nameserver: ['10.0.0.1', '1.1.1.1'] }, guest({ nameserver: '10.0.0.1  1.1.1.1' })],
    ['with a feature that is off', { features: { nesting: true } }, guest({ features: 'fuse=0,nesting=1' })],
    ['with defaults that are not written', { memory: 512, onBoot: false, tags: [] }, guestWithout('memory', 'onboot')],
    ['with a description of its own', {}, guest({ description: 'The notes.\n\nnx-mooring: dev/pote\n' })],
    ['with a disk in smaller units', { disk: 8 }, guest({ rootfs: 'local-zfs:subvol-201-disk-0,size=8192M' })],
  ])('%s has nothing to change', (_, over, is) => expect(shown(over, is)).toEqual([]));
});

function guestWithout(...names: string[]): Guest {
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
  const config = { digest, options: rest, lxc: [] };
  return { ...guest(), config, current: config };
}

it.each<[string, Partial<WantedGuest>, Guest]>([
  ['cores and memory', { cores: 4, memory: 2048 }, guest()],
  ['an address: the MAC and all else of the interface stay', { ip: '10.20.0.7/24' }, guest({ net0: `${options.net0},mtu=1400,rate=12.5` })],
  ['another bridge and the firewall off', { bridge: 'vmbr1', firewall: false }, guest()],
  ['a host name', { name: 'pote-neu' }, guest()],
  ['resolvers of a running guest', { nameserver: ['10.20.0.1'] }, guest()],
  ['resolvers of a stopped guest', { nameserver: ['10.20.0.1'] }, guest({}, {}, 'stopped')],
  ['tags that go', { tags: [] }, guest({ tags: 'old' })],
  ['nesting off', { features: { nesting: false } }, guest()],
  ['a feature that is root’s', { features: { nesting: true, keyctl: true } }, guest()],
  ['a larger disk', { disk: 20 }, guest()],
  ['a smaller disk', { disk: 4 }, guest()],
  ['a disk in another storage', { storage: 'ceph' }, guest()],
  ['what is set already and waits for a start', { nameserver: ['10.20.0.1'] }, guest({ nameserver: '10.20.0.1' }, { nameserver: '' })],
  ['what somebody else has set for the next start', { memory: 1024 }, guest({ memory: '4096' }, { memory: '1024' })],
  ['a guest of nobody', {}, guest({ description: 'made by hand' })],
])('%s', (_, over, is) => {
  expect(shown(over, is).join('\n')).toMatchSnapshot();
});

describe('creation', () => {
  const created = {
    storage: 'local-zfs',
    bridge: 'vmbr0',
    template: 'local:vztmpl/debian-12.tar.zst',
    publicKeys: ['ssh-ed25519 A a', 'ssh-ed25519 B b'],
  };

  it('sends a static address, keys, and no more rights than needed', () => {
    expect(createParams(wanted, created)).toMatchInlineSnapshot(`
      {
        "cores": 1,
        "description": "nx-mooring: dev/pote
      ",
        "features": "nesting=1",
        "hostname": "pote-dev",
        "memory": 1024,
        "nameserver": undefined,
        "net0": "name=eth0,bridge=vmbr0,firewall=1,gw=10.20.0.1,ip=10.20.0.101/24",
        "onboot": true,
        "ostemplate": "local:vztmpl/debian-12.tar.zst",
        "password": undefined,
        "rootfs": "local-zfs:8",
        "ssh-public-keys": "ssh-ed25519 A a
      ssh-ed25519 B b",
        "swap": 512,
        "tags": undefined,
        "unprivileged": true,
        "vmid": 201,
      }
    `);
  });

  it('takes what is described', () => {
    const { password, ...params } = createParams(
      {
        ...wanted,
        cores: 4,
        memory: 4096,
        swap: 0,
        disk: 30,
        firewall: false,
        onBoot: false,
        tags: ['app', 'pote'],
        nameserver: ['10.0.0.1', '1.1.1.1'],
        features: { nesting: false },
        password: new Secret('hunter2 hunter2'),
      },
      created,
    );
    expect(params).toMatchObject({
      cores: 4,
      memory: 4096,
      swap: 0,
      rootfs: 'local-zfs:30',
      onboot: false,
      tags: 'app;pote',
      nameserver: '10.0.0.1 1.1.1.1',
      features: undefined,
      net0: 'name=eth0,bridge=vmbr0,gw=10.20.0.1,ip=10.20.0.101/24',
    });
    expect(String(password)).toBe('(secret)');
  });

  it('leads to a guest that has nothing to change', () => {
    const { cores, memory, swap, disk } = AT_CREATION;
    expect(shown({ cores, memory, swap, disk }, guest({ cores: String(cores) }))).toEqual([]);
  });
});

it('finds its mark in a description, and leaves the rest of it', () => {
  expect(ownerOf(undefined)).toBeUndefined();
  expect(ownerOf('see nx-mooring: x/y')).toBeUndefined();
  expect(ownerOf(withOwner('Notes\nof the council', 'dev/pote'))).toBe('dev/pote');
  expect(withOwner(withOwner('Notes', 'dev/pote'), 'qa/pote')).toBe('Notes\n\nnx-mooring: qa/pote\n');
});
