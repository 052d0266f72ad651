import { describe, expect, it } from 'vitest';
import { guest, MINIMAL_ACL } from './double/state.ts';
import { doubleOf, IP, plan, problems, runOf, VMID } from './provisioning.ts';
import type { running } from './testing.ts';

/** A guest that somebody has made, with the address that ours is to have. */
const other = (more: Partial<Parameters<typeof guest>[0]> = {}) =>
  guest({ vmid: 105, options: { hostname: 'web', net0: `name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:05,ip=${IP}/24` }, ...more });

describe('an address', () => {
  it.each<[string, Parameters<typeof running>[0], string]>([
    [
      'taken by a stopped guest',
      { state: { guests: [other()] } },
      `${IP} is taken: lxc 105 (web, stopped) on pve: in the configuration of net0`,
    ],
    [
      'taken by a QEMU guest',
      {
        state: {
          guests: [
            other({ type: 'qemu', options: { name: 'win', net0: 'virtio=BC:24:11:00:00:05,bridge=vmbr0', ipconfig0: `ip=${IP}/24` } }),
          ],
        },
      },
      `${IP} is taken: qemu 105 (win, stopped) on pve`,
    ],
    [
      'taken by a QEMU guest whose agent tells',
      {
        acl: { ...MINIMAL_ACL, '/vms': [...(MINIMAL_ACL['/vms'] ?? []), 'VM.GuestAgent.Audit'] },
        state: {
          guests: [
            other({
              type: 'qemu',
              running: true,
              options: { name: 'win', net0: 'virtio=BC:24:11:00:00:05,bridge=vmbr0' },
              live: [{ name: 'ens18', hwaddr: 'bc:24:11:00:00:05', inet: `${IP}/24` }],
            }),
          ],
        },
      },
      `${IP} is taken: qemu 105 (win, running) on pve: seen on the running guest, live, of ens18`,
    ],
    [
      'taken by a guest after its next start',
      {
        state: {
          guests: [other({ running: true, options: { hostname: 'web' }, pending: { net0: `name=eth0,bridge=vmbr0,ip=${IP}/24` } })],
        },
      },
      'in the configuration for the next start of net0',
    ],
    [
      'not known to be free: a virtual machine without an agent',
      {
        state: {
          guests: [other({ type: 'qemu', running: true, options: { name: 'win', net0: 'virtio=BC:24:11:00:00:05,bridge=vmbr0' } })],
        },
      },
      `it is not known whether ${IP} is free. What could not be seen: qemu 105 (win) on pve`,
    ],
    [
      'not known to be free: the token may not see all guests',
      { acl: { ...MINIMAL_ACL, '/vms': [], [`/vms/${VMID}`]: MINIMAL_ACL['/vms'] ?? [] } },
      'it lacks VM.Audit on /vms',
    ],
    [
      'not known to be free: a node that is offline',
      {
        state: {
          nodes: [
            { node: 'pve', online: true },
            { node: 'pve2', online: false },
          ],
        },
      },
      'guests of node pve2: the node is offline',
    ],
  ])('%s', async (_, given, text) => {
    const double = await doubleOf(given);
    const run = await runOf(double);
    expect(problems(await plan(run))).toContain(text);
    expect(problems(await plan(run, { allowIpConflicts: true }))).not.toContain(text);
    expect(double.state.calls.filter((call) => !call.startsWith('GET'))).toEqual([]);
  });
});
