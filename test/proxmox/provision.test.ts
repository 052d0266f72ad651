import { describe, expect, it } from 'vitest';
import { KEY } from '../app-files.ts';
import { guest, TEMPLATE } from './double/state.ts';
import { doubleOf, IP, plan, problems, provision, runOf, VMID } from './provisioning.ts';
import { TOKEN_ID } from './testing.ts';

describe('a guest', () => {
  it('is created as described, started, and has nothing to change in a second run', async () => {
    const double = await doubleOf();
    const told: string[] = [];
    const { changes, guest: made } = await provision(double, await runOf(double, { guest: { memory: 2048, tags: ['app'] } }, told));
    expect(changes).toEqual(['create guest 201 (pote-dev): it is absent', 'restart guest 201 (pote-dev): it does not run']);
    expect(made.status.status).toBe('running');
    expect(made.config.options).toMatchObject({
      hostname: 'pote-dev',
      memory: '2048',
      tags: 'app',
      unprivileged: '1',
      features: 'nesting=1',
    });
    expect(double.backend.guests.get(VMID)?.birth.sshKeys).toContain(KEY);
    expect(told.join('\n')).toContain('TASK OK');
    const before = double.state.calls.filter((call) => !call.startsWith('GET')).length;
    expect((await provision(double, await runOf(double, { guest: { memory: 2048, tags: ['app'] } }))).changes).toEqual([]);
    expect(double.state.calls.filter((call) => !call.startsWith('GET'))).toHaveLength(before);
  });

  it('gets only what differs; the MAC stays, sizes grow by /resize', async () => {
    const double = await doubleOf();
    const { guest: first } = await provision(double, await runOf(double));
    const { changes, guest: now } = await provision(double, await runOf(double, { guest: { cores: 2, disk: 20, ip: '203.0.113.11/24' } }));
    expect(changes.map((change) => change.split(':')[0])).toEqual(['update guest cores', 'update guest net0', 'update guest disk']);
    const mac = (options: Readonly<Record<string, string>>) => /hwaddr=([^,]+)/.exec(options.net0 ?? '')?.[1];
    expect(mac(now.config.options)).toBe(mac(first.config.options));
    expect(now.config.options).toMatchObject({ cores: '2', rootfs: expect.stringContaining('size=20G') });
    expect(double.state.calls.filter((call) => call.startsWith('PUT'))).toEqual([
      `PUT /nodes/pve/lxc/${VMID}/config`,
      `PUT /nodes/pve/lxc/${VMID}/resize`,
    ]);
  });

  it('is restarted only where that is allowed', async () => {
    const double = await doubleOf();
    await provision(double, await runOf(double));
    const described = { guest: { nameserver: ['203.0.113.53'] } };
    expect(problems(await plan(await runOf(double, described)))).toContain('needs a restart of the guest\n  next:    --allow-restart');
    const { guest: now } = await provision(double, await runOf(double, described), { allowRestart: true });
    expect(now.current.options.nameserver).toBe('203.0.113.53');
    expect(double.state.calls).toContain(`POST /nodes/pve/lxc/${VMID}/status/reboot`);
  });

  it.each([
    ['a smaller disk', { disk: 4 }, 'guest disk: 8G -> 4G needs another guest in its place, and nx-mooring never replaces one'],
    ['a disk elsewhere', { storage: 'ceph' }, 'guest storage: local-zfs -> ceph needs another guest in its place'],
    ["a feature that is root's", { features: { keyctl: true } }, "pct set 201 --features 'keyctl=1,nesting=1'"],
  ])('is not replaced, and is not given what only root can give: %s', async (_, described, text) => {
    const double = await doubleOf();
    await provision(double, await runOf(double));
    expect(problems(await plan(await runOf(double, { guest: described }), { allowRestart: true }))).toContain(text);
  });

  it.each(['596-after', 'cut-after'] as const)('comes about although the answers are lost: %s', async (kind) => {
    const faults = ['POST /nodes/{node}/lxc', 'POST /nodes/{node}/lxc/{vmid}/status/start'].map((at) => ({ at, kind, times: 1 }));
    const double = await doubleOf({ state: { faults } });
    const told: string[] = [];
    const { guest: made } = await provision(double, await runOf(double, {}, told));
    expect(made.status.status).toBe('running');
    expect(told.join('\n')).toContain('looking whether it came about');
    expect(double.state.calls.filter((call) => call === 'POST /nodes/pve/lxc')).toHaveLength(1);
  });

  it('that fails to be created is told with the last words of the task', async () => {
    const faults = [{ task: 'vzcreate', kind: 'exit' as const, status: 'unable to create CT 201 - no space left', before: true }];
    const double = await doubleOf({ state: { faults } });
    const run = await runOf(double);
    const made = await plan(run);
    await expect(made.apply()).rejects.toThrow('no space left');
  });
});

describe('a guest that is there already', () => {
  const byHand = () =>
    guest({
      vmid: VMID,
      running: true,
      options: {
        hostname: 'pote-dev',
        net0: `name=eth0,bridge=vmbr0,firewall=1,gw=203.0.113.1,hwaddr=BC:24:11:00:00:01,ip=${IP}/24,type=veth`,
        rootfs: 'local-zfs:subvol-201-disk-0,size=8G',
        memory: '512',
        description: 'made by hand\n',
      },
    });

  it('is not touched, unless it is adopted; then only what plan showed is changed', async () => {
    const double = await doubleOf({ state: { guests: [byHand()] } });
    expect(problems(await plan(await runOf(double)))).toMatch(
      /guest 201 \(pote-dev\) on pve exists and was not made by nx-mooring[\s\S]*--adopt=pote/,
    );
    expect((await provision(double, await runOf(double, { adopt: ['pote'] }))).changes).toEqual([
      'update guest description: it becomes ours, and its description says so',
    ]);
    expect(double.state.guests[0]?.options.description).toBe('made by hand\n\nnx-mooring: dev/pote\n');
    expect((await provision(double, await runOf(double))).changes).toEqual([]);
  });

  it('and is of another application, is never taken', async () => {
    const theirs = byHand();
    theirs.options.description = 'nx-mooring: qa/shop\n';
    const double = await doubleOf({ state: { guests: [theirs] } });
    expect(problems(await plan(await runOf(double, { adopt: ['pote'] })))).toContain('belongs to qa/shop, not to dev/pote');
  });

  it('under its number on another node, or as a virtual machine, stands in the way', async () => {
    const double = await doubleOf({
      state: {
        nodes: [
          { node: 'pve', online: true },
          { node: 'pve2', online: true },
        ],
        guests: [
          guest({
            vmid: VMID,
            node: 'pve2',
            type: 'qemu',
            options: { name: 'win', net0: 'virtio=BC:24:11:00:00:07,bridge=vmbr0', ipconfig0: 'ip=203.0.113.99/24' },
          }),
        ],
      },
    });
    expect(problems(await plan(await runOf(double)))).toContain('qemu 201 is there already: win on pve2, and no LXC guest of pve');
  });
});

describe('what a creation needs', () => {
  it('is asked for with the lines that grant it', async () => {
    const double = await doubleOf({
      acl: { '/vms': ['VM.Audit'], '/storage/local-zfs': ['Datastore.Audit'], '/storage/local': ['Datastore.Audit'] },
    });
    const text = problems(await plan(await runOf(double)));
    expect(text).toContain(`pveum acl modify /vms --tokens '${TOKEN_ID}' --roles MooringGuests`);
    expect(text).toContain('Datastore.AllocateSpace on /storage/local-zfs (to make its disk)');
  });

  it.each([
    [
      'a storage',
      { guest: { storage: 'local-zsf' } },
      'pve has no storage local-zsf (or the token may not see it); for disks of guests there are local-zfs',
    ],
    ['a storage for disks', { guest: { storage: 'local' } }, 'storage local of pve does not hold that'],
    [
      'a bridge',
      { guest: { bridge: 'vmbr1' } },
      'pve has no bridge vmbr1 (or the token may not see it); there are vmbr0. Did you mean vmbr0?',
    ],
    ['a template', { proxmox: { template: 'local:vztmpl/debian-12-standrad_12.7-1_amd64.tar.zst' } }, `Did you mean ${TEMPLATE}?`],
    ['keys', { proxmox: { authorizedKeys: [] }, guest: {} }, 'nobody could log in to the new guest'],
  ])('is told where it is missing: %s', async (what, given, text) => {
    const double = await doubleOf();
    if (what === 'keys') {
      await expect(runOf(double, given)).rejects.toThrow('authorizedKeys');
      return;
    }
    expect(problems(await plan(await runOf(double, given)))).toContain(text);
  });

  it('is downloaded by the node where it can be', async () => {
    const double = await doubleOf();
    const template = 'local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst';
    await provision(double, await runOf(double, { proxmox: { template } }));
    expect(double.state.calls).toContain('POST /nodes/pve/aplinfo');
  });
});
