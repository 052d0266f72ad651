import { type Answer, NotModelled, ok, ToolError } from './answer.ts';
import type { Incus } from './incus.ts';
import { expandedDevices, type InstanceRecord, isBeingStopped, isReachable, profileDevices } from './instance.ts';

/** Seconds from the start of an instance to its address. */
const ADDRESS_AFTER = 2;
/** What an instance's network is, for all of them. */
const NETWORK = { name: 'net', managed: true, type: 'bridge', status: 'Created', config: { 'ipv4.address': '10.0.0.1/24' } };

/** MAC address that Incus gave each. */
const HWADDR = '10:66:6a:00:00:01';
/** A bridge in each, which Incus lists first and nobody reaches. */
const BRIDGE = { hwaddr: '02:42:00:00:00:01', host_name: '' };

/** `incus <argv>`, all but `exec`. @throws ToolError when Incus refuses; NotModelled when the model does not know the command */
export function incusCommand(incus: Incus, now: number, argv: readonly string[], stdin = ''): Answer {
  const { words, project, values, has } = read(argv);
  const [verb = '', ...rest] = words;
  const [name = '', second = '', third = ''] = rest;
  switch (verb) {
    case 'query':
      return ok(printed(query(incus, now, name)));
    case 'create': {
      const made = has('empty') ? name : second;
      const onPool = values('storage').map((pool) => ['root', { type: 'disk', path: '/', pool }]);
      const more = stdin === '' ? {} : (JSON.parse(stdin) as { config?: Record<string, string>; devices?: Record<string, Keys> });
      incus.create(
        {
          ...{ name: made, project, profiles: values('profile'), config: { ...more.config, ...pairs(values('config')) } },
          devices: { ...Object.fromEntries(onPool), ...more.devices, ...devices(values('device')) },
        },
        has('empty'),
      );
      return ok(has('quiet') ? '' : `Creating ${made}\n`);
    }
    case 'copy': {
      const [source = '', snapshot = ''] = name.split('/');
      if (snapshot === '') throw new NotModelled(`a copy of what is no snapshot: incus ${argv.join(' ')}`);
      const given = { name: second, project, config: pairs(values('config')), devices: devices(values('device')) };
      incus.copySnapshot({ name: source, snapshot }, given);
      return ok();
    }
    case 'delete':
      incus.delete(name, project, has('force'));
      return ok();
    case 'start':
      incus.start(name, project);
      return ok();
    case 'stop':
      incus.stop(name, project);
      return ok();
    case 'snapshot':
      if (name === 'create') incus.snapshotCreate(second, project, third);
      else if (name === 'delete') incus.snapshotDelete(second, project, third);
      else if (name === 'restore') incus.snapshotRestore(second, project, third);
      else throw new NotModelled(`incus ${argv.join(' ')}`);
      return ok();
    case 'config':
      return config(incus, project, rest, argv);
    default:
      throw new NotModelled(`incus ${argv.join(' ')}`);
  }
}

/** The address that an instance has; nothing while it does not run, or only just does. */
export function addressAt(instance: InstanceRecord, now: number): string | undefined {
  const { startedAt, name } = instance;
  const last = 10 + ([...name].reduce((all, letter) => all + letter.charCodeAt(0), 0) % 200);
  return isReachable(instance) && now - startedAt >= ADDRESS_AFTER ? `10.0.0.${last}` : undefined;
}

function config(incus: Incus, project: string, [verb, ...rest]: readonly string[], argv: readonly string[]): Answer {
  const [name = '', key = '', third = '', ...more] = rest;
  if (verb === 'get') return ok(`${incus.get(name, project).config[key] ?? ''}\n`);
  if (verb === 'set') incus.setConfig(name, project, pairs(rest.slice(1)));
  else if (verb === 'unset') incus.setConfig(name, project, { [key]: undefined });
  else if (verb === 'device' && name === 'add') incus.setDevice(key, project, third, { type: more[0] ?? '', ...pairs(more.slice(1)) });
  else if (verb === 'device' && (name === 'set' || name === 'override')) incus.setDevice(key, project, third, pairs(more));
  else throw new NotModelled(`incus ${argv.join(' ')}`);
  return ok();
}

type Read = { words: string[]; project: string; values: (flag: string) => string[]; has: (flag: string) => boolean };
type Keys = Record<string, string>;

/** Flags out, words in their order. Everything after `--` is a word. */
function read(argv: readonly string[]): Read {
  const words: string[] = [];
  const alone = new Set<string>();
  const flags: [string, string][] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === '--') {
      words.push(...argv.slice(i + 1));
      break;
    }
    const single = /^--(no-expiry|force|empty|quiet|no-profiles)$/.exec(word)?.[1];
    if (single !== undefined) {
      alone.add(single);
      continue;
    }
    const [flag, value] = /^--(project|profile|config|device|timeout|storage)(?:=(.*))?$/s.exec(word)?.slice(1) ?? [];
    if (flag !== undefined) flags.push([flag, value ?? (argv[++i] as string)]);
    else if (word.startsWith('-')) throw new NotModelled(`the flag ${word} of incus ${argv.join(' ')}`);
    else words.push(word);
  }
  const values = (flag: string) => flags.flatMap(([name, value]) => (name === flag ? [value] : []));
  return { words, project: values('project').at(-1) ?? 'default', values, has: (flag) => alone.has(flag) };
}

function pairs(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}

function devices(words: readonly string[]): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  for (const word of words) {
    const [name = '', assignment = ''] = word.split(/,(.*)/s);
    found[name] = { ...found[name], ...pairs([assignment]) };
  }
  return found;
}

/** As `incus query` prints it: of an empty object nothing at all (lab, Incus 6.0.4). */
function printed(answer: unknown): string {
  const text = JSON.stringify(answer);
  return text === '{}' ? '' : text;
}

function query(incus: Incus, now: number, path: string): unknown {
  const [, place = '', search = ''] = /^\/1\.0([^?]*)(?:\?(.*))?$/.exec(path) ?? [];
  const parameters = new URLSearchParams(search);
  const project = parameters.get('project') ?? 'default';
  const known = incus.projects.includes(project);
  const ofProject = <T>(value: T): T => {
    if (!known) throw new ToolError('Error: Project not found');
    return value;
  };
  const profiles = incus.pools.map(({ name }) => ({ name, config: {}, devices: profileDevices(name) }));
  const single = /^\/instances\/([^/]+)$/.exec(place)?.[1];
  if (single !== undefined) return shown(incus.get(single, project), now);
  if (/^\/storage-pools\/[^/]+\/resources$/.test(place)) return { space: { used: 1, total: 100 } };
  const pool = incus.pools.find(({ name }) => place === `/storage-pools/${name}`);
  if (pool !== undefined) return shownPool(pool);
  switch (place) {
    case '':
      return { environment: { server_version: '6.0.4' } };
    case '/projects':
      return incus.projects.map((name) => ({ name, config: {} }));
    case '/instances':
      if (parameters.get('all-projects') === 'true')
        return [...incus.instances.values()].map(
          (one) => `/1.0/instances/${one.name}${one.project === 'default' ? '' : `?project=${one.project}`}`,
        );
      return [...incus.instances.values()].filter((one) => one.project === project).map((one) => listed(one, now));
    case '/operations':
      return operations(incus, project, now);
    case '/storage-pools':
      return incus.pools.map(shownPool);
    case '/profiles':
      return ofProject(profiles);
    case '/networks':
      return ofProject([NETWORK]);
    case '/images/aliases':
      return ofProject([{ name: 'base', target: 'f'.repeat(64) }]);
    default:
      throw new NotModelled(`incus query ${path}`);
  }
}

function operations(incus: Incus, project: string, now: number): unknown {
  const stopping = [...incus.instances.values()].filter((one) => one.project === project && isBeingStopped(one, now));
  if (stopping.length === 0) return {};
  const path = ({ name }: InstanceRecord) => `/1.0/instances/${name}${project === 'default' ? '' : `?project=${project}`}`;
  return { running: stopping.map((one) => ({ description: 'Stopping instance', resources: { instances: [path(one)] } })) };
}

function listed(one: InstanceRecord, now: number): unknown {
  const whole = shown(one, now);
  if (!isBeingStopped(one, now)) return whole;
  return { ...whole, status: 'Error', config: null, devices: null, expanded_config: undefined, expanded_devices: undefined };
}

function shownPool({ name, driver, dataset }: Incus['pools'][number]) {
  return {
    name,
    driver,
    status: 'Created',
    config: dataset === undefined ? { source: `/srv/${name}` } : { source: dataset, 'zfs.pool_name': dataset },
  };
}

function shown(one: InstanceRecord, now: number) {
  const address = addressAt(one, now);
  const { name, project, status, profiles } = one;
  const config = { ...one.config, 'volatile.eth0.hwaddr': HWADDR };
  return {
    ...{ name, project, type: 'container', status, location: 'none', created_at: time(one.createdAt), config, expanded_config: config },
    ...{ devices: one.devices, expanded_devices: expandedDevices(one), profiles },
    // Incus lists none as null.
    snapshots: one.snapshots.length === 0 ? null : one.snapshots.map(shownSnapshot),
    state:
      status === 'Running'
        ? {
            network: { docker0: { ...addresses('172.17.0.1'), ...BRIDGE }, eth0: { ...addresses(address), hwaddr: HWADDR, host_name: '' } },
          }
        : { network: null },
  };
}

function addresses(address: string | undefined) {
  return { addresses: address === undefined ? [] : [{ family: 'inet', address, scope: 'global' }] };
}

function shownSnapshot(snapshot: InstanceRecord['snapshots'][number]) {
  return { name: snapshot.name, created_at: time(snapshot.createdAt), expires_at: '0001-01-01T00:00:00Z', config: snapshot.config };
}

/** RFC 3339, as Incus writes it. */
function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
