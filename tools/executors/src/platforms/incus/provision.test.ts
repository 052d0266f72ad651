import { describe, expect, it } from 'vitest';
import { showCommand } from '../../engine/command.ts';
import type { Instance, InstanceFacts } from '../../engine/instance.ts';
import type { InstanceSpec, ProvisionOptions } from '../../engine/instance-platform.ts';
import { INCUS } from './command.ts';
import { mark, ownership } from './marks.ts';
import { planInstance } from './provision.ts';

const UUID = '6a1e6a3c-0000-4000-8000-000000000001';
const FINGERPRINT = 'ab'.repeat(32);
const spec: InstanceSpec = {
  instance: 'veza-local-redis',
  project: 'default',
  profiles: ['veza-data', 'veza-net'],
  image: 'debian/12',
  limits: {},
  devices: {},
  network: 'net',
  hostOnNetwork: false,
  environment: 'local',
  container: 'redis',
  service: 'redis',
  tool: 'nx-mooring test',
};
const options: ProvisionOptions = { create: [], adopt: [], uuid: UUID, startSeconds: 60 };
const HWADDR = '10:66:6a:b1:ff:35';
const NET = { name: 'net', managed: true, type: 'bridge', status: 'Created', config: { 'ipv4.address': '10.0.0.1/24' } };
const marks = { [mark.environment]: 'local', [mark.instance]: 'veza-local-redis', [mark.uuid]: UUID };

function instance(over: Partial<Instance> = {}): Instance {
  const config = { 'volatile.uuid': UUID, 'volatile.eth0.hwaddr': HWADDR, 'security.protection.delete': 'true', ...marks, ...over.config };
  return {
    name: 'veza-local-redis',
    project: 'default',
    type: 'container',
    status: 'Running',
    location: 'none',
    created_at: '2026-01-01T00:00:00Z',
    devices: {},
    profiles: [],
    snapshots: null,
    state: { network: { eth0: { addresses: [{ family: 'inet', address: '10.0.0.9', scope: 'global' }], hwaddr: HWADDR, host_name: '' } } },
    ...over,
    expanded_devices: { eth0: { type: 'nic', network: 'net' }, ...over.expanded_devices },
    config,
    expanded_config: over.expanded_config ?? config,
  };
}

function facts(...instances: Instance[]): InstanceFacts {
  return {
    version: '6.0.4',
    operations: [],
    projects: [],
    instances: instances.filter(({ project }) => project === spec.project),
    everywhere: instances.map(({ name, project }) => ({ name, project })),
    pools: [{ name: 'lab', driver: 'btrfs', status: 'Created', config: {} }],
    profiles: [{ name: 'veza-net', config: {}, devices: { eth0: { type: 'nic', network: 'net' } } }],
    networks: [NET],
    aliases: [{ name: 'debian/12', target: FINGERPRINT }],
  };
}

const plan = (given: InstanceFacts, over: Partial<InstanceSpec> = {}, more: Partial<ProvisionOptions> = {}, elsewhere: string[] = []) =>
  planInstance(given, { ...spec, ...over }, elsewhere, { ...options, ...more });
const shown = (...args: Parameters<typeof plan>) =>
  plan(...args).flatMap(({ commands }) => commands.map((command) => ('argv' in command ? showCommand(command) : '')));

describe('an absent instance', () => {
  it('is created from the image of this moment, protected and marked in one step, then started', () => {
    const [create, start] = shown(facts());
    expect(create).toBe(
      `${INCUS} create ${FINGERPRINT} veza-local-redis --project default --profile veza-data --profile veza-net --config security.protection.delete=true --config user.mooring.environment=local --config user.mooring.instance=veza-local-redis --config user.mooring.service=redis --config 'user.mooring.tool=nx-mooring test' --config user.mooring.format=1 --config user.mooring.uuid=${UUID} --config volatile.uuid=${UUID} --config user.mooring.image=${FINGERPRINT}`,
    );
    expect(start).toBe(`${INCUS} start veza-local-redis --project default`);
  });

  it('has the devices that the settings name from the beginning: those of a profile are overridden, others come on stdin', () => {
    const root = { type: 'disk', path: '/', pool: 'lab' };
    const profiles = [...(facts().profiles ?? []), { name: 'veza-data', config: {}, devices: { root } }];
    const blobs = { type: 'disk', pool: 'lab', source: 'blobs', path: '/srv' };
    const [change] = plan({ ...facts(), profiles }, { devices: { root: { size: '20GiB' }, blobs } });
    const [create] = change?.commands ?? [];
    if (create === undefined || !('argv' in create)) throw new Error('no command');
    expect(create.argv.slice(-2)).toEqual(['--device', 'root,size=20GiB']);
    expect(JSON.parse(create.stdin as string)).toEqual({ devices: { blobs } });
  });

  it.each([
    ['in another project', facts(instance({ project: 'old' })), [], 'in the Incus project old'],
    ['in the audit log', facts(), ['the audit log says that it was there'], 'the audit log says'],
    [
      'perhaps on a pool that is not there',
      { ...facts(), pools: [{ name: 'tank', driver: 'zfs', status: 'Unavailable', config: {} }] },
      [],
      'pool tank is Unavailable',
    ],
  ])('is not created when its name is known %s, unless --create names it', (_, given, elsewhere, because) => {
    expect(() => plan(given, {}, {}, elsewhere)).toThrow(because);
    expect(plan(given, {}, { create: ['veza-local-redis'] }, elsewhere)).toHaveLength(1);
  });

  it('is not taken for one whose name contains its own', () => {
    expect(plan(facts(instance({ name: 'veza-local-redis-old' })))).toMatchObject([{ action: 'create' }]);
  });
});

describe('an instance that is there', () => {
  it('is left alone when all is as it should be', () => expect(plan(facts(instance()))).toEqual([]));

  it('is started when it is stopped', () =>
    expect(shown(facts(instance({ status: 'Stopped' })))[0]).toBe(`${INCUS} start veza-local-redis --project default`));

  it('that is frozen is refused', () => expect(() => plan(facts(instance({ status: 'Frozen' })))).toThrow('is frozen'));

  it.each([
    ['without marks', { [mark.environment]: undefined as never }, 'no marks'],
    ['of another environment', { [mark.environment]: 'prod' }, 'is prod, expected local'],
    ['copied with incus copy', { 'volatile.uuid': 'another' }, 'looks like a copy'],
  ])('%s is not ours: refused, and adopted only by name', (_, config, because) => {
    expect(() => plan(facts(instance({ config })))).toThrow(because);
    const adopted = plan(facts(instance({ config })), {}, { adopt: ['veza-local-redis'] });
    expect(adopted).toMatchObject([{ action: 'update', before: 'not ours', after: 'adopted' }]);
  });

  it('takes no mark that only a profile has', () => {
    const bare = { ...instance(), config: { 'volatile.uuid': UUID } };
    expect(ownership(bare, 'local')).toEqual({ ours: false, because: 'it has no marks of nx-mooring' });
  });

  it('gets the limits that the settings name, and says what needs a restart', () => {
    expect(plan(facts(instance()), { limits: { memory: '1GiB' } })).toMatchObject([{ impact: 'none', after: { 'limits.memory': '1GiB' } }]);
    const [change] = plan(facts(instance()), { limits: { 'kernel.nofile': '4096' } });
    expect(change).toMatchObject({ impact: 'restart' });
    expect(change?.because).toContain('which is left to you');
  });

  it('gets the devices that the settings name: added, set, or set over a profile', () => {
    const devices = { root: { type: 'disk', path: '/', size: '20GiB' } };
    const own = { root: { type: 'disk', path: '/', pool: 'lab' } };
    expect(shown(facts(instance()), { devices })).toEqual([
      `${INCUS} config device add veza-local-redis root disk path=/ size=20GiB --project default`,
    ]);
    expect(shown(facts(instance({ expanded_devices: own })), { devices })).toEqual([
      `${INCUS} config device override veza-local-redis root size=20GiB --project default`,
    ]);
    expect(shown(facts(instance({ devices: own, expanded_devices: own })), { devices })).toEqual([
      `${INCUS} config device set veza-local-redis root size=20GiB --project default`,
    ]);
  });
});

describe("an instance without an interface on the environment's network", () => {
  const lan = { type: 'nic', nictype: 'bridged', parent: 'br-lan' };
  const elsewhere = [{ name: 'veza-net', config: {}, devices: { eth0: lan } }];

  it('is not made, and one that is there is not touched', () => {
    const why = "veza-local-redis has no network interface on net, the environment's network (eth0 is on br-lan)";
    expect(() => plan({ ...facts(), profiles: elsewhere })).toThrow(why);
    expect(() => plan(facts(instance({ status: 'Stopped', expanded_devices: { eth0: lan } })))).toThrow(why);
    expect(() => plan({ ...facts(), profiles: [] })).toThrow('(it has none at all)');
  });

  it('gets it from its own devices', () => {
    const given = { ...facts(), profiles: elsewhere };
    expect(plan(given, { devices: { eth1: { type: 'nic', network: 'net' } } })).toMatchObject([{ action: 'create' }]);
    expect(plan(given, { devices: { eth0: { parent: 'net' } } })).toMatchObject([{ action: 'create' }]);
  });

  it('is told once, as the network, where the network is not there', () => {
    expect(plan({ ...facts(), networks: [] }, { network: 'typo' })).toMatchObject([{ action: 'create' }]);
  });
});

describe('a network over which the host cannot reach its own containers', () => {
  const on = (nic: Record<string, string>) => ({
    ...facts(),
    profiles: [{ name: 'veza-net', config: {}, devices: { eth0: { type: 'nic', ...nic } } }],
  });
  const lan = { name: 'net', managed: true, type: 'macvlan', status: 'Created', config: { parent: 'enp1s0' } };

  it.each([
    ['macvlan', on({ nictype: 'macvlan', parent: 'net' })],
    ['ipvlan', on({ nictype: 'ipvlan', parent: 'net' })],
    ['macvlan', { ...facts(), networks: [lan] }],
  ])('(%s) is refused before anything is made, unless the host is on it too', (kind, given) => {
    expect(() => plan(given)).toThrow(
      `veza-local-redis would be attached to net through ${kind}, and a host cannot reach its own ${kind} containers`,
    );
    expect(plan(given, { hostOnNetwork: true })).toMatchObject([{ action: 'create' }]);
  });

  it.each(['bridged', 'routed', 'physical', 'sriov'])('(%s) is not one', (nictype) => {
    expect(plan(on({ nictype, parent: 'net' }))).toMatchObject([{ action: 'create' }]);
  });

  it('is none where a second interface is on a bridge', () => {
    const given = on({ nictype: 'macvlan', parent: 'net' });
    expect(plan(given, { devices: { eth1: { type: 'nic', nictype: 'bridged', parent: 'net' } } })).toMatchObject([{ action: 'create' }]);
  });
});

describe('a start', () => {
  const waits = (over: Partial<InstanceSpec>, ...there: Instance[]) =>
    plan(facts(...there), over)[0]?.commands.flatMap((command) =>
      'argv' in command && command.argv[0] === 'sh' ? [command.argv.slice(8)] : [],
    );

  it("waits for an address on the NICs of the environment's network, whose MAC address Incus tells then", () => {
    expect(waits({})).toEqual([['eth0=']]);
    const own = {
      lan: { type: 'nic', nictype: 'bridged', parent: 'net', hwaddr: '10:66:6A:00:00:0F' },
      other: { type: 'nic', network: 'dmz' },
    };
    expect(waits({}, instance({ status: 'Stopped', expanded_devices: own }))).toEqual([['eth0=', 'lan=10:66:6a:00:00:0f']]);
  });

  it('is waited for while only a bridge inside has an address', () => {
    const docker0 = { addresses: [{ family: 'inet', address: '172.17.0.1', scope: 'global' }], hwaddr: '02:42:00:00:00:01', host_name: '' };
    const network = { docker0, eth0: { addresses: [], hwaddr: HWADDR, host_name: '' } };
    expect(plan(facts(instance({ state: { network } })))).toMatchObject([{ before: 'no address', after: 'an address' }]);
  });
});
