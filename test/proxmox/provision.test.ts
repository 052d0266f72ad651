import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { showError } from '../../tools/executors/src/engine/errors.ts';
import { showChange } from '../../tools/executors/src/engine/show-change.ts';
import { lookAtCluster } from '../../tools/executors/src/shared/app/cluster.ts';
import { type ProvisionFlags, type ProvisionPlan, planProvision } from '../../tools/executors/src/shared/app/provision-plan.ts';
import { type AppRun, openAppRun } from '../../tools/executors/src/shared/app/run.ts';
import { applyProvision } from '../../tools/executors/src/verbs/deploy/app-provision.ts';
import { worldOf } from '../../tools/executors/src/world/index.ts';
import { guest, MINIMAL_ACL, TEMPLATE } from './double/state.ts';
import { type Running, running, TOKEN_ID, TOKEN_SECRET } from './testing.ts';

/* Provisioning against the double, its guests in memory: everything but the way into the guest. Documentation addresses: nobody has them. */

const KEY = `ssh-ed25519 ${'A'.repeat(68)} you@machine`;
const IP = '203.0.113.10';
const VMID = 201;
const NO_FLAGS: ProvisionFlags = { allowRestart: false, allowIpConflicts: false };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

type Given = { guest?: Record<string, unknown>; proxmox?: Record<string, unknown>; adopt?: string[] };

/** A run on a workspace with one application. */
async function runOf(double: Running, given: Given = {}, told: string[] = []): Promise<AppRun> {
  const root = mkdtempSync(join(tmpdir(), 'mooring-provision-'));
  ends.push(() => rmSync(root, { recursive: true }));
  const put = (file: string, content: unknown, mode = 0o644) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content), { mode });
  };
  const { url, fingerprint } = double.connection;
  put('nx.json', {});
  put('.secrets/dev.env', `TOKEN=${TOKEN_SECRET}\nKEY=key\n`, 0o600);
  put('infra/environments/dev.json', {
    proxmox: {
      ...{ url, fingerprint, tokenId: TOKEN_ID, tokenSecret: { secret: 'TOKEN' }, authorizedKeys: [KEY] },
      ...{ template: `local:vztmpl/${TEMPLATE}`, ...given.proxmox },
    },
  });
  put('infra/apps/pote/app.json', {
    description: 'Notes',
    kind: 'python',
    repository: 'git@git.example.org:team/pote.git',
    python: { start: ['python', '-m', 'pote'] },
    deployKey: { secret: 'KEY' },
    gitHostKeys: [KEY],
    environments: { dev: { name: 'pote-dev', vmid: VMID, ip: `${IP}/24`, gateway: '203.0.113.1', branch: 'main', ...given.guest } },
  });
  execFileSync('git', ['init', '-q', root]);
  const signal = new AbortController().signal;
  const request = {
    root,
    world: worldOf(root),
    environment: 'dev',
    runId: 'test',
    signal,
    print: (line: string) => void told.push(line),
    projects: ['pote'],
  };
  const run = await openAppRun({ ...request, adopt: given.adopt ?? [] });
  ends.push(() => run.close());
  return run;
}

async function doubleOf(given: Parameters<typeof running>[0] = {}): Promise<Running> {
  const double = await running(given);
  ends.push(() => double.close());
  return double;
}

async function plan(run: AppRun, flags: Partial<ProvisionFlags> = {}): Promise<ProvisionPlan> {
  const [target] = run.targets;
  if (target === undefined) return expect.fail();
  return planProvision(run, lookAtCluster(run), target, { ...NO_FLAGS, ...flags });
}

const problems = ({ problems: all }: ProvisionPlan) => all.map(showError).join('\n');

async function provision(run: AppRun, flags: Partial<ProvisionFlags> = {}) {
  const made = await plan(run, flags);
  expect(problems(made)).toBe('');
  return { changes: made.changes.map(showChange), guest: await applyProvision(run, run.targets[0] ?? expect.fail(), made) };
}

/** A guest that somebody has made, with the address that ours is to have. */
const other = (more: Partial<Parameters<typeof guest>[0]> = {}) =>
  guest({ vmid: 105, options: { hostname: 'web', net0: `name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:05,ip=${IP}/24` }, ...more });

describe('a guest', () => {
  it('is created as described, started, and has nothing to change in a second run', async () => {
    const double = await doubleOf();
    const told: string[] = [];
    const { changes, guest: made } = await provision(await runOf(double, { guest: { memory: 2048, tags: ['app'] } }, told));
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
    expect((await provision(await runOf(double, { guest: { memory: 2048, tags: ['app'] } }))).changes).toEqual([]);
    expect(double.state.calls.filter((call) => !call.startsWith('GET'))).toHaveLength(before);
  });

  it('gets only what differs; the MAC stays, sizes grow by /resize', async () => {
    const double = await doubleOf();
    const { guest: first } = await provision(await runOf(double));
    const { changes, guest: now } = await provision(await runOf(double, { guest: { cores: 2, disk: 20, ip: '203.0.113.11/24' } }));
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
    await provision(await runOf(double));
    const described = { guest: { nameserver: ['203.0.113.53'] } };
    expect(problems(await plan(await runOf(double, described)))).toContain('needs a restart of the guest\n  next:    --allow-restart');
    const { guest: now } = await provision(await runOf(double, described), { allowRestart: true });
    expect(now.current.options.nameserver).toBe('203.0.113.53');
    expect(double.state.calls).toContain(`POST /nodes/pve/lxc/${VMID}/status/reboot`);
  });

  it.each([
    ['a smaller disk', { disk: 4 }, 'guest disk: 8G -> 4G needs another guest in its place, and nx-mooring never replaces one'],
    ['a disk elsewhere', { storage: 'ceph' }, 'guest storage: local-zfs -> ceph needs another guest in its place'],
    ["a feature that is root's", { features: { keyctl: true } }, "pct set 201 --features 'keyctl=1,nesting=1'"],
  ])('is not replaced, and is not given what only root can give: %s', async (_, described, text) => {
    const double = await doubleOf();
    await provision(await runOf(double));
    expect(problems(await plan(await runOf(double, { guest: described }), { allowRestart: true }))).toContain(text);
  });

  it.each(['596-after', 'cut-after'] as const)('comes about although the answers are lost: %s', async (kind) => {
    const faults = ['POST /nodes/{node}/lxc', 'POST /nodes/{node}/lxc/{vmid}/status/start'].map((at) => ({ at, kind, times: 1 }));
    const double = await doubleOf({ state: { faults } });
    const told: string[] = [];
    const { guest: made } = await provision(await runOf(double, {}, told));
    expect(made.status.status).toBe('running');
    expect(told.join('\n')).toContain('looking whether it came about');
    expect(double.state.calls.filter((call) => call === 'POST /nodes/pve/lxc')).toHaveLength(1);
  });

  it('that fails to be created is told with the last words of the task', async () => {
    const faults = [{ task: 'vzcreate', kind: 'exit' as const, status: 'unable to create CT 201 - no space left', before: true }];
    const double = await doubleOf({ state: { faults } });
    const run = await runOf(double);
    const made = await plan(run);
    await expect(applyProvision(run, run.targets[0] ?? expect.fail(), made)).rejects.toThrow('no space left');
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
      /guest 201 \(pote-dev\) on pve is there and was not made by nx-mooring[\s\S]*--adopt=pote/,
    );
    expect((await provision(await runOf(double, { adopt: ['pote'] }))).changes).toEqual([
      'update guest description: it becomes ours, and its description says so',
    ]);
    expect(double.state.guests[0]?.options.description).toBe('made by hand\n\nnx-mooring: dev/pote\n');
    expect((await provision(await runOf(double))).changes).toEqual([]);
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
    await provision(await runOf(double, { proxmox: { template } }));
    expect(double.state.calls).toContain('POST /nodes/pve/aplinfo');
  });
});

describe('a bridge that is a virtual network', () => {
  const { '/sdn/zones/localnetwork/vmbr0': use, ...without } = MINIMAL_ACL;
  const state = {
    vnets: [
      { vnet: 'apps', zone: 'office' },
      { vnet: 'other', zone: 'lab' },
    ],
  };
  const onVnet = { guest: { bridge: 'apps' } };
  const withAcl = (acl: Record<string, string[]>, more: object = {}) =>
    doubleOf({ state: { ...state, ...more }, acl: { ...without, ...acl } });

  it.each<[string, Record<string, string[]>]>([
    ['it alone', { '/sdn/zones/office/apps': ['SDN.Use'] }],
    ['its zone', { '/sdn/zones/office': ['SDN.Use'] }],
    ['all zones', { '/sdn/zones': ['SDN.Use'] }],
    ['all zones, which are told too', { '/sdn/zones': ['SDN.Use', 'SDN.Audit'] }],
  ])('is used by a token that may use %s', async (_, acl) => {
    const double = await withAcl(acl);
    const { guest: made } = await provision(await runOf(double, onVnet));
    expect(made.config.options.net0).toContain('bridge=apps');
    expect((await provision(await runOf(double, onVnet))).changes).toEqual([]);
  });

  it.each<[string, Record<string, string[]>]>([
    ['it may be seen', { '/sdn/zones/office/apps': ['SDN.Audit'] }],
    [
      'a bridge of the node has that name in the rights',
      { '/sdn/zones/office/apps': ['SDN.Audit'], '/sdn/zones/localnetwork/apps': ['SDN.Use'] },
    ],
    ['only a VLAN in it may be used', { '/sdn/zones/office/apps/20': ['SDN.Use'] }],
  ])('the right is missing in its own zone where %s, and nothing is made', async (_, acl) => {
    const double = await withAcl(acl);
    const text = problems(await plan(await runOf(double, onVnet)));
    expect(text).toContain('lacks SDN.Use on /sdn/zones/office/apps (to connect it to the bridge)');
    expect(text).toContain(`pveum acl modify /sdn/zones/office/apps --tokens '${TOKEN_ID}' --roles MooringBridge`);
    expect(double.state.guests).toEqual([]);
  });

  it('one that may not even be seen: what it is, is not known, and that is said', async () => {
    const text = problems(await plan(await runOf(await withAcl({}), onVnet)));
    expect(text).toContain('pve has no bridge apps (or the token may not see it)');
    expect(text).toContain(
      'lacks SDN.Use on /sdn/zones/localnetwork/apps (to connect it to the bridge; if that is a VNet, in its own zone)',
    );
  });

  it('a guest is moved to one, and its VLAN is kept', async () => {
    const double = await withAcl({ '/sdn/zones/localnetwork/vmbr0': use ?? [], '/sdn/zones/office/apps': ['SDN.Audit'] });
    await provision(await runOf(double));
    const [made] = double.state.guests;
    if (made !== undefined) made.options.net0 += ',tag=20';
    expect(problems(await plan(await runOf(double, onVnet)))).toContain('lacks SDN.Use on /sdn/zones/office/apps/20');
    Object.assign(double.state.tokens[TOKEN_ID] ?? {}, { acl: { ...without, '/sdn/zones/office/apps/20': ['SDN.Use'] } });
    const { guest: moved } = await provision(await runOf(double, onVnet));
    expect(moved.config.options.net0).toMatch(/bridge=apps,.*tag=20/);
  });

  it('what it is, is asked only where it decides', async () => {
    const double = await doubleOf({ state });
    await provision(await runOf(double));
    double.state.calls.length = 0;
    expect((await provision(await runOf(double))).changes).toEqual([]);
    expect(double.state.calls.filter((call) => /network|sdn|version/.test(call))).toEqual([]);
  });

  it('Proxmox VE 7 knows no right of that name', async () => {
    const double = await withAcl({}, { version: '7.4-17' });
    const { guest: made } = await provision(await runOf(double));
    expect(made.config.options.net0).toContain('bridge=vmbr0');
    expect((await provision(await runOf(double))).changes).toEqual([]);
  });
});
