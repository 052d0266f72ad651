import type { Change } from '../../engine/change.ts';
import type { WantedGuest } from '../../engine/guest-platform.ts';
import type { Guest } from './config.ts';
import { NET, ROOTFS } from './formats.ts';
import type { Params } from './params.ts';
import { parseProperties, parseSize } from './property-string.ts';
import { featuresOf, interfaceOf, ownerOf, withOwner } from './wanted.ts';

/**
 * How a field gets its new value. `live`: at once. `restart`: at the guest's next start. `replacement`: only a new guest could have it.
 * `root`: Proxmox lets only root@pam set it, and no token is that.
 */
export type How = 'live' | 'restart' | 'replacement' | 'root';

/** One field that differs. It is applied by the plan's calls, not by commands. */
export type GuestChange = Change & { readonly how: How };

/** What brings a guest to its description. */
export type GuestPlan = {
  readonly changes: readonly GuestChange[];
  /** Parameters of `PUT …/config`, its digest among them; nothing when there is nothing to set. */
  readonly config: Params | undefined;
  /** Parameters of `PUT …/resize`. */
  readonly resize: Params | undefined;
};

/** A difference, and what sets it: an option and its value, which is empty to take the option away, or a new size. */
type Field = { readonly change: GuestChange; readonly set?: readonly [option: string, value: string]; readonly size?: string };

const GIB = 1024 ** 3;

/** Options that a running guest takes at its next start only; `hostname` is in its configuration at once, and in the guest then. */
const AT_NEXT_START = ['hostname', 'nameserver', 'features'];

/**
 * The smallest change that brings a guest to its description. What the description leaves out, and what it is equal to, is not in it. Pure.
 *
 * @param guest as it is: its configuration, what is pending, whether it runs
 */
export function planGuest(wanted: WantedGuest, guest: Guest): GuestPlan {
  const fields = [
    ...simpleFields(wanted).flatMap((field) => compare(guest, field)),
    ...networkField(wanted, guest),
    ...featureField(wanted, guest),
    ...ownerField(wanted, guest),
    ...diskFields(wanted, guest),
  ];
  const set = fields.flatMap((field) => (field.set === undefined ? [] : [field.set]));
  const gone = set.flatMap(([option, value]) => (value === '' ? [option] : []));
  const { digest } = guest.config;
  const size = fields.find((field) => field.size !== undefined)?.size;
  return {
    changes: fields.map(({ change }) => change),
    config:
      set.length === 0
        ? undefined
        : {
            ...Object.fromEntries(set.filter(([, value]) => value !== '')),
            ...(gone.length === 0 ? {} : { delete: gone.join(',') }),
            digest,
          },
    resize: size === undefined ? undefined : { disk: 'rootfs', size, digest },
  };
}

type Simple = { readonly option: string; readonly value: string | undefined; readonly normal?: (text: string) => string };

/** Options whose text is their value. */
function simpleFields(wanted: WantedGuest): Simple[] {
  const words = (text: string) => text.split(/[\s,;]+/).filter(Boolean);
  return [
    { option: 'hostname', value: wanted.name },
    { option: 'cores', value: wanted.cores?.toString() },
    { option: 'memory', value: wanted.memory?.toString() },
    { option: 'swap', value: wanted.swap?.toString() },
    { option: 'onboot', value: wanted.onBoot === undefined ? undefined : wanted.onBoot ? '1' : '0' },
    { option: 'nameserver', value: wanted.nameserver?.join(' '), normal: (text) => words(text).join(' ') },
    { option: 'tags', value: wanted.tags?.join(';'), normal: (text) => words(text).sort().join(';') },
  ];
}

/** What an option is when the configuration does not have it. */
const UNSET: Readonly<Record<string, string>> = { onboot: '0', memory: '512', swap: '512', tags: '', nameserver: '' };

function compare(guest: Guest, { option, value, normal = (text) => text }: Simple): Field[] {
  if (value === undefined) return [];
  const valueIn = (options: Readonly<Record<string, string>>) => options[option] ?? UNSET[option];
  return difference(guest, option, valueIn, value, (a, b) => a !== undefined && normal(a) === normal(b));
}

/** The change of one option: to be set, or set already and waiting for the next start. */
function difference(
  guest: Guest,
  option: string,
  valueIn: (options: Readonly<Record<string, string>>) => string | undefined,
  value: string,
  same: (now: string | undefined, wanted: string) => boolean,
): Field[] {
  const [now, next] = [valueIn(guest.current.options), valueIn(guest.config.options)];
  const how = AT_NEXT_START.includes(option) && guest.status.status === 'running' ? 'restart' : 'live';
  if (!same(next, value)) {
    return [
      {
        change: change(option, same(now, value) ? `${next} at its next start` : now, value, how, 'the settings have another value'),
        set: [option, value],
      },
    ];
  }
  if (same(now, value)) return [];
  return [{ change: change(option, now, value, 'restart', 'it is set already, and waits for the next start') }];
}

function change(option: string, before: unknown, after: unknown, how: How, because: string): GuestChange {
  const impact = how === 'restart' ? 'restart' : how === 'replacement' ? 'data-loss' : 'none';
  return {
    resource: `guest ${option}`,
    action: 'update',
    before: before || '(not set)',
    after: after || '(not set)',
    impact,
    because,
    commands: [],
    how,
  };
}

function networkField(wanted: WantedGuest, guest: Guest): Field[] {
  const parse = (text: string | undefined) => parseProperties(NET, text ?? '');
  const next = interfaceOf(wanted, wanted.bridge, parse(guest.config.options.net0));
  return difference(
    guest,
    'net0',
    ({ net0 }) => net0,
    next,
    (text) => sameInterface(parse(text), parse(next)),
  );
}

/** The order of properties means nothing; a firewall that is off is one that is not there. */
function sameInterface(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const parts = (all: Readonly<Record<string, string>>) =>
    Object.entries(all)
      .filter(([key, value]) => !(key === 'firewall' && value === '0'))
      .map(([key, value]) => `${key}=${value.toLowerCase()}`)
      .sort()
      .join();
  return parts(a) === parts(b);
}

function featureField(wanted: WantedGuest, guest: Guest): Field[] {
  if (wanted.features === undefined) return [];
  const after = featuresOf(wanted.features);
  const parts = (text: string | undefined) =>
    (text ?? '')
      .split(',')
      .filter((part) => part !== '' && !part.endsWith('=0'))
      .sort();
  const [found] = difference(
    guest,
    'features',
    ({ features }) => features,
    after,
    (text) => parts(text).join() === after,
  );
  if (found === undefined) return [];
  if (found.set === undefined) return [found];
  const others = (list: readonly string[]) => list.filter((part) => part !== 'nesting=1').join();
  if (others(parts(guest.config.options.features)) === others(parts(after))) return [found];
  return [{ change: change('features', found.change.before, after, 'root', 'a token can set nesting only') }];
}

function ownerField({ owner }: WantedGuest, guest: Guest): Field[] {
  const { description } = guest.config.options;
  if (ownerOf(description) === owner) return [];
  const reason = 'it becomes ours, and its description says so';
  return [
    {
      change: change('description', ownerOf(description), `nx-mooring: ${owner}`, 'live', reason),
      set: ['description', withOwner(description, owner)],
    },
  ];
}

function diskFields(wanted: WantedGuest, guest: Guest): Field[] {
  const { volume = '', size } = parseProperties(ROOTFS, guest.config.options.rootfs ?? '');
  const fields: Field[] = [];
  const storage = volume.split(':')[0];
  if (wanted.storage !== undefined && storage !== wanted.storage)
    fields.push({ change: change('storage', storage, wanted.storage, 'replacement', 'a disk stays in the storage that it was made in') });
  if (wanted.disk === undefined) return fields;
  const bytes = size === undefined ? undefined : parseSize(size);
  const after = `${wanted.disk}G`;
  if (bytes === undefined || bytes > wanted.disk * GIB)
    fields.push({
      change: change('disk', size, after, 'replacement', bytes === undefined ? 'its size is not known' : 'a disk can only grow'),
    });
  else if (bytes < wanted.disk * GIB)
    fields.push({ change: change('disk', size, after, 'live', 'the settings have a larger one'), size: after });
  return fields;
}
