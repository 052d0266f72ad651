import { afterEach, describe, expect, it } from 'vitest';
import { gatherAddresses } from '../../tools/executors/src/platforms/proxmox/addresses.ts';
import { listGuests, listNodes } from '../../tools/executors/src/platforms/proxmox/cluster.ts';
import { listBridges, listDownloads, listStorages, listTemplates } from '../../tools/executors/src/platforms/proxmox/node.ts';
import { grantLines, missingRights, neededRights, seesAllGuests } from '../../tools/executors/src/platforms/proxmox/permissions.ts';
import { privilegesOn, readPermissions } from '../../tools/executors/src/platforms/proxmox/privileges.ts';
import { upid, waitForTask } from '../../tools/executors/src/platforms/proxmox/task.ts';
import { guest, MINIMAL_ACL, type State, TEMPLATE } from './double/state.ts';
import { type Running, running, TOKEN_ID } from './testing.ts';

let now: Running;
afterEach(() => now?.close());

const MAC = 'BC:24:11:00:00:01';
const CLUSTER: State['guests'] = [
  guest({ vmid: 201, options: { hostname: 'stopped', net0: `name=eth0,bridge=vmbr0,hwaddr=${MAC},ip=10.77.0.201/24` } }),
  guest({
    vmid: 202,
    running: true,
    options: { hostname: 'moving', net0: 'name=eth0,ip=10.77.0.202/24,ip6=fd00::202/64' },
    pending: { net0: 'name=eth0,ip=10.77.0.212/24' },
  }),
  guest({
    vmid: 203,
    running: true,
    options: { net0: 'name=eth0,ip=dhcp' },
    live: [{ name: 'eth0', hwaddr: MAC.toLowerCase(), inet: '10.77.0.203/24', others: ['10.77.0.213/24'] }],
  }),
  guest({ vmid: 204, options: { net0: 'name=eth0,ip=dhcp' } }),
  guest({
    vmid: 301,
    type: 'qemu',
    options: { name: 'cloud', net0: `virtio=${MAC},bridge=vmbr0`, ipconfig0: 'ip=10.77.0.31/24,gw=10.77.0.1' },
  }),
  guest({
    vmid: 302,
    type: 'qemu',
    running: true,
    options: { name: 'agent', net0: 'virtio=BC:24:11:00:00:02,bridge=vmbr0' },
    live: [
      { name: 'lo', hwaddr: '00:00:00:00:00:00', inet: '127.0.0.1/8' },
      { name: 'ens18', hwaddr: 'bc:24:11:00:00:02', inet: '10.77.0.32/24', inet6: 'fd00::32/64' },
    ],
  }),
  guest({ vmid: 303, type: 'qemu', running: true, options: { name: 'mute', net0: 'virtio=BC:24:11:00:00:03,bridge=vmbr0' } }),
];

async function gather(given: Parameters<typeof running>[0]) {
  now = await running(given);
  const found = await gatherAddresses(now.client, await listGuests(now.client), await listNodes(now.client));
  return {
    addresses: found.addresses.map(({ address, guest: { vmid }, interface: name, found: how, mac }) =>
      [address, vmid, name, how, mac ?? ''].join(' ').trim(),
    ),
    dynamic: found.dynamic.map(({ guest: { vmid }, interface: name, why }) => `${vmid} ${name} ${why}`),
    unseen: found.unseen.map(({ what, why }) => `${what}: ${why}`),
  };
}

describe('addresses of the guests in a cluster', () => {
  it('are those of stopped and running, LXC and QEMU guests: configured, pending and live', async () => {
    const { addresses, dynamic, unseen } = await gather({
      acl: { ...MINIMAL_ACL, '/vms': ['VM.Audit', 'VM.GuestAgent.Audit'] },
      state: { guests: structuredClone(CLUSTER) },
    });
    expect(addresses).toEqual([
      `10.77.0.201 201 net0 current ${MAC}`,
      '10.77.0.202 202 net0 current',
      'fd00::202 202 net0 current',
      '10.77.0.212 202 net0 pending',
      `10.77.0.203 203 eth0 live ${MAC}`,
      `10.77.0.213 203 eth0 live ${MAC}`,
      `10.77.0.31 301 net0 current ${MAC}`,
      '10.77.0.32 302 ens18 live BC:24:11:00:00:02',
      'fd00::32 302 ens18 live BC:24:11:00:00:02',
    ]);
    expect(dynamic).toEqual(['203 net0 dhcp', '204 net0 dhcp', '302 net0 set inside the guest', '303 net0 set inside the guest']);
    expect(unseen).toEqual([
      'qemu 303 (mute) on pve: GET /nodes/pve/qemu/303/agent/network-get-interfaces: QEMU guest agent is not running (500)',
    ]);
  });

  it('that only the agent tells are unknown to a token that may not ask it', async () => {
    const { addresses, unseen } = await gather({ state: { guests: CLUSTER.filter(({ vmid }) => vmid === 302) } });
    expect(addresses).toEqual([]);
    expect(unseen).toEqual([expect.stringContaining('qemu 302 (agent) on pve: ')]);
    expect(unseen[0]).toContain('Permission check failed (/vms/302, VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted)');
  });

  it('of a node that is offline are unknown, and said to be', async () => {
    const { addresses, unseen } = await gather({
      state: {
        nodes: [
          { node: 'pve', online: true },
          { node: 'off', online: false },
        ],
        guests: [guest({ vmid: 201, node: 'off', options: { hostname: 'gone', net0: 'name=eth0,ip=10.77.0.201/24' } })],
      },
    });
    expect(addresses).toEqual([]);
    expect(unseen[0]).toBe('guests of node off: the node is offline');
    expect(unseen[1]).toContain('lxc 201 (gone) on off: GET /nodes/off/lxc/201/config');
  });
});

describe('rights', () => {
  const needs = neededRights({
    node: 'pve',
    vmid: 101,
    storage: 'local-zfs',
    bridge: { path: '/sdn/zones/localnetwork/vmbr0', sure: true },
    download: { storage: 'local', url: false },
  });

  it('the smallest token has all that is needed', async () => {
    now = await running();
    const given = await readPermissions(now.client);
    expect(missingRights(given, needs)).toEqual([]);
    expect(seesAllGuests(given)).toBe(true);
  });

  it('a token that sees single guests only is shown those, and known not to see all', async () => {
    now = await running({ acl: { '/vms/201': ['VM.Audit'] }, state: { guests: structuredClone(CLUSTER) } });
    expect((await listGuests(now.client)).map(({ vmid, name }) => [vmid, name])).toEqual([[201, 'stopped']]);
    expect(seesAllGuests(await readPermissions(now.client))).toBe(false);
  });

  it('what is missing is said in lines that grant it, to the token and to its user', async () => {
    now = await running({ acl: { ...MINIMAL_ACL, '/vms': ['VM.Audit'], '/sdn/zones/localnetwork/vmbr0': [] } });
    const missing = missingRights(await readPermissions(now.client), needs);
    expect(missing.map(({ need, privileges }) => [need.path, privileges.length])).toEqual([
      ['/vms/101', 9],
      ['/sdn/zones/localnetwork/vmbr0', 1],
    ]);
    expect(grantLines(missing, TOKEN_ID)).toMatchInlineSnapshot(`
      [
        "pveum role add MooringGuests --privs 'VM.Allocate,VM.Audit,VM.Config.CPU,VM.Config.Memory,VM.Config.Disk,VM.Config.Network,VM.Config.Options,VM.PowerMgmt,VM.Snapshot,VM.Snapshot.Rollback' || pveum role modify MooringGuests --privs 'VM.Allocate,VM.Audit,VM.Config.CPU,VM.Config.Memory,VM.Config.Disk,VM.Config.Network,VM.Config.Options,VM.PowerMgmt,VM.Snapshot,VM.Snapshot.Rollback' --append 1",
        "pveum role add MooringBridge --privs 'SDN.Use' || pveum role modify MooringBridge --privs 'SDN.Use' --append 1",
        "pveum acl modify /vms --users 'mooring@pve' --roles MooringGuests",
        "pveum acl modify /vms --tokens 'mooring@pve!test' --roles MooringGuests",
        "pveum acl modify /sdn/zones/localnetwork/vmbr0 --users 'mooring@pve' --roles MooringBridge",
        "pveum acl modify /sdn/zones/localnetwork/vmbr0 --tokens 'mooring@pve!test' --roles MooringBridge",
      ]
    `);
  });

  it('hold below their path if they are said to, and nowhere else', () => {
    const given = {
      '/': { 'Sys.Audit': true, 'Sys.Modify': false },
      '/storage': { 'Sys.Audit': true, 'Datastore.Audit': true },
      '/storage/a': {},
    };
    expect([...privilegesOn(given, '/storage/b')]).toEqual(['Sys.Audit', 'Datastore.Audit']);
    expect([...privilegesOn(given, '/storage/a')]).toEqual([]);
    expect([...privilegesOn(given, '/mapping/x')]).toEqual(['Sys.Audit']);
    expect([...privilegesOn(given, '/vms/101')]).toEqual([]);
  });
});

describe('what a node has', () => {
  it('storages, bridges and templates that the token may see', async () => {
    now = await running();
    expect(await listStorages(now.client, 'pve')).toMatchObject([
      { storage: 'local', content: ['iso', 'vztmpl', 'backup'], usable: true },
      { storage: 'local-zfs', content: ['images', 'rootdir'], usable: true },
    ]);
    expect(await listBridges(now.client, 'pve')).toEqual([{ name: 'vmbr0', vnet: false }]);
    expect(await listTemplates(now.client, 'pve', 'local')).toEqual([`local:vztmpl/${TEMPLATE}`]);
  });

  it('a template that is not there is downloaded', async () => {
    now = await running();
    const [template = ''] = (await listDownloads(now.client, 'pve')).filter((name) => name !== TEMPLATE);
    await waitForTask(now.client, await now.client.post(['nodes', 'pve', 'aplinfo'], upid, { storage: 'local', template }), { pollMs: 5 });
    expect(await listTemplates(now.client, 'pve', 'local')).toContain(`local:vztmpl/${template}`);
  });
});
