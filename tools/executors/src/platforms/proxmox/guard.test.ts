import { describe, expect, it } from 'vitest';
import type { Neighbour } from '../../engine/guest-platform.ts';
import type { GuestAddress } from './addresses.ts';
import type { ListedGuest } from './cluster.ts';
import { type GuardFacts, judgeAddress } from './guard.ts';

const claim = { address: '10.20.0.101', vmid: 201 };
const guest = (vmid: number, more: Partial<ListedGuest> = {}): ListedGuest => ({
  vmid,
  type: 'lxc',
  node: 'pve',
  name: `g${vmid}`,
  status: 'running',
  tags: [],
  template: false,
  ...more,
});
const has = (owner: ListedGuest, more: Partial<GuestAddress> = {}): GuestAddress => ({
  address: claim.address,
  guest: owner,
  interface: 'net0',
  mac: 'BC:24:11:00:00:05',
  found: 'current',
  ...more,
});
const silent: Neighbour = { host: 'probe', onLink: true, own: false, ping: false };
const nothing: GuardFacts = {
  addresses: { addresses: [], dynamic: [], unseen: [] },
  complete: true,
  neighbour: silent,
  probeConfigured: true,
  knownElsewhere: [],
};
const own = guest(201);
const seen = (addresses: Partial<GuardFacts['addresses']>, more: Partial<GuardFacts> = {}): GuardFacts => ({
  ...nothing,
  addresses: { ...nothing.addresses, ...addresses },
  ...more,
});
const agentless = {
  what: 'qemu 120 (win) on pve',
  why: 'GET …: QEMU guest agent is not running (500)',
  guest: guest(120, { type: 'qemu', name: 'win' }),
  liveOnly: true,
} as const;
const insideSet = { guest: guest(120, { type: 'qemu', status: 'stopped' }), interface: 'net0', why: 'set inside the guest' };

it.each<[string, GuardFacts, 'free' | 'taken' | 'unknown', string]>([
  // 1 and 2: what is configured.
  ['nobody has it', nothing, 'free', 'none of 0 guests of the cluster has it; nobody answers ARP for it, asked from probe'],
  ['another address', seen({ addresses: [has(guest(105), { address: '10.20.0.10' })] }), 'free', 'none of 1 guests'],
  [
    'a stopped guest',
    seen({ addresses: [has(guest(105, { status: 'stopped' }))] }),
    'taken',
    'lxc 105 (g105, stopped) on pve: in the configuration of net0 (BC:24:11:00:00:05)',
  ],
  [
    'a guest after its next start',
    seen({ addresses: [has(guest(105), { found: 'pending' })] }),
    'taken',
    'lxc 105 (g105, running) on pve: in the configuration for the next start of net0 (BC:24:11:00:00:05)',
  ],
  [
    'a QEMU guest',
    seen({ addresses: [has(guest(120, { type: 'qemu', name: 'win' }), { mac: undefined })] }),
    'taken',
    'qemu 120 (win, running) on pve: in the configuration of net0',
  ],
  ['a guest of another node', seen({ addresses: [has(guest(105, { node: 'pve2' }))] }), 'taken', 'on pve2'],
  // 3: live.
  [
    'a guest by DHCP',
    seen({ addresses: [has(guest(105), { found: 'live', interface: 'eth0' })] }),
    'taken',
    'lxc 105 (g105, running) on pve: seen on the running guest, live, of eth0 (BC:24:11:00:00:05)',
  ],
  // 4: ARP.
  [
    'a machine that is no guest, and drops ping',
    { ...nothing, neighbour: { ...silent, mac: '00:11:22:33:44:55' } },
    'taken',
    'MAC 00:11:22:33:44:55, which belongs to no guest: it answers ARP, asked from probe',
  ],
  [
    'a guest that says something else in its configuration',
    seen(
      { dynamic: [{ guest: guest(120), interface: 'net0', mac: '00:11:22:33:44:55', why: 'dhcp' }] },
      { neighbour: { ...silent, mac: '00:11:22:33:44:55' } },
    ),
    'taken',
    'lxc 120 (g120, running) on pve, MAC 00:11:22:33:44:55: it answers ARP, asked from probe',
  ],
  ['the host that is asked', { ...nothing, neighbour: { ...silent, own: true, ping: true } }, 'taken', 'probe itself, which was asked'],
  // 5: ping.
  [
    'something behind a router that answers ping',
    { ...nothing, probeConfigured: false, neighbour: { host: 'local', onLink: false, own: false, ping: true } },
    'taken',
    'something that answers ping, asked from local over a router',
  ],
  [
    'nothing behind a router: guests are seen, other machines are not',
    { ...nothing, probeConfigured: false, neighbour: { host: 'local', onLink: false, own: false, ping: false } },
    'free',
    'nobody could be asked by ARP, so other machines than guests were not seen for certain',
  ],
  // The guest itself.
  ['the guest itself, by its configuration', seen({ addresses: [has(own)] }), 'free', 'none of 1 guests'],
  [
    'the guest itself, by ARP',
    seen({ addresses: [has(own)] }, { neighbour: { ...silent, ping: true, mac: 'bc:24:11:00:00:05' } }),
    'free',
    'only the guest itself answers ARP for it',
  ],
  [
    'the guest itself, by ping over a router',
    seen({ addresses: [has(own)] }, { probeConfigured: false, neighbour: { host: 'local', onLink: false, own: false, ping: true } }),
    'free',
    'none of 1 guests',
  ],
  [
    'another machine, with the address that the guest has in its configuration',
    seen({ addresses: [has(own)] }, { neighbour: { ...silent, mac: '00:11:22:33:44:55' } }),
    'taken',
    'MAC 00:11:22:33:44:55',
  ],
  [
    'something that answers ping, with the guest itself stopped',
    seen(
      { addresses: [has(guest(201, { status: 'stopped' }))] },
      { probeConfigured: false, neighbour: { host: 'local', onLink: false, own: false, ping: true } },
    ),
    'taken',
    'something that answers ping',
  ],
  // Unknown.
  ['guests that the token may not see', { ...nothing, complete: false }, 'unknown', 'it lacks VM.Audit on /vms'],
  [
    'a node that is offline',
    seen({ unseen: [{ what: 'guests of node pve2', why: 'the node is offline' }] }),
    'unknown',
    'guests of node pve2: the node is offline',
  ],
  [
    'a guest whose configuration may not be read, though ARP is silent',
    seen({ unseen: [{ what: 'lxc 105', why: 'Permission check failed', guest: guest(105) }] }),
    'unknown',
    'lxc 105: Permission check failed',
  ],
  [
    'a running guest without an agent, where nobody can ask by ARP',
    seen({ unseen: [agentless] }, { probeConfigured: false, neighbour: { host: 'local', onLink: false, own: false, ping: false } }),
    'unknown',
    'qemu 120 (win) on pve: GET …: QEMU guest agent is not running (500)',
  ],
  ['a running guest without an agent, where ARP is silent', seen({ unseen: [agentless] }), 'free', 'nobody answers ARP'],
  [
    'a stopped guest that sets its address by itself',
    seen({ dynamic: [insideSet] }),
    'unknown',
    'qemu 120 (g120, stopped) on pve: the address of net0 is set inside of it',
  ],
  ['such a guest that is known to have another one', seen({ dynamic: [insideSet] }, { knownElsewhere: [120] }), 'free', 'none of 1 guests'],
  [
    'a template: it never runs',
    seen({ dynamic: [{ ...insideSet, guest: guest(900, { template: true, status: 'stopped' }) }] }),
    'free',
    '',
  ],
  [
    'a probe host that cannot be asked',
    { ...nothing, neighbour: { host: 'probe', error: 'no SSH connection' } },
    'unknown',
    'the network, from the probe host probe: no SSH connection',
  ],
  [
    'a probe host in another network',
    { ...nothing, neighbour: { host: 'probe', onLink: false, own: false, ping: false } },
    'unknown',
    'the address is in none of its own networks',
  ],
])('%s', (_, facts, state, text) => {
  const verdict = judgeAddress(claim, facts);
  expect(verdict.state).toBe(state);
  const told = verdict.state === 'free' ? verdict.because : verdict.state === 'taken' ? verdict.by : verdict.unseen;
  expect(told.join('; ')).toContain(text);
});

describe('several pieces of evidence', () => {
  it('are all named, and taken outweighs unknown', () => {
    const facts = seen({ addresses: [has(guest(105)), has(guest(106))] }, { complete: false });
    const verdict = judgeAddress(claim, facts);
    expect(verdict).toMatchObject({ state: 'taken', by: [expect.stringContaining('lxc 105'), expect.stringContaining('lxc 106')] });
  });
});
