import { type Context, checkLock, guestOf, type Handler, vmidOf } from './context.ts';
import { ApiFailure, badParameter, die } from './failure.ts';
import { checkOptionRights, storageOf, storedNet, storedVolume, toBackend } from './options.ts';
import { mustHave } from './rights.ts';
import { digest, type GuestState, type LiveInterface } from './state.ts';

/** What a running container takes at once; anything else waits for its next start. */
const LIVE = /^(description|onboot|startup|protection|hostname|hookscript|cores|tags|lock|cpulimit|cpuunits|memory|swap|net\d+)$/;
const LIVE_WHEN_NEW = /^(mp|dev)\d+$/;
/** net10 and up are not in it: the upstream pattern has room for one digit. */
const LIVE_DELETE = /^(description|onboot|startup|protection|hostname|hookscript|cores|tags|lock|cpulimit|cpuunits|swap|net\d|unused\d+)$/;
const REQUIRED = ['memory', 'rootfs', 'ostype'];

export const getConfig: Handler = (context) => {
  const guest = guestOf(context, context.params.type === 'qemu' ? 'qemu' : 'lxc');
  return { ...typed(context.params.current === '1' ? guest.options : merged(guest)), digest: digest(guest) };
};

export const getPending: Handler = (context) => {
  const guest = guestOf(context);
  const keys = new Set([...Object.keys(guest.options), ...Object.keys(guest.pending)]);
  return [
    ...[...keys].map((key) => ({
      key,
      ...(guest.options[key] === undefined ? {} : { value: number(guest.options[key]) }),
      ...(guest.pending[key] === undefined ? {} : { pending: number(guest.pending[key]) }),
      ...(guest.deleted.includes(key) ? { delete: 1 } : {}),
    })),
    { key: 'digest', value: digest(guest) },
  ];
};

export const putConfig: Handler = (context) => {
  const { node: _, vmid, digest: given, delete: gone = '', revert = '', ...options } = context.params;
  const deletes = list(gone);
  const reverts = list(revert);
  if (Object.keys(options).length + deletes.length + reverts.length === 0) die('no options specified');
  return context.locks.hold(Number(vmid), async () => {
    const guest = guestOf(context);
    checkLock(guest);
    if (given !== undefined && given !== digest(guest)) die('detected modified configuration - file changed by other user? Try again.');
    checkOptionRights(context.store.state, context.token, guest.vmid, options, [...Object.keys(options), ...deletes, ...reverts], guest);
    const required = deletes.find((key) => REQUIRED.includes(key));
    if (required !== undefined) die(`unable to delete required option '${required}'`);
    if ([...Object.keys(options), ...deletes].includes('unprivileged')) die("unable to modify read-only option: 'unprivileged'");
    const draft = structuredClone(guest);
    draw(context, draft, options, deletes, reverts);
    await apply(context, draft);
    Object.assign(guest, draft);
    context.store.save();
    return null;
  });
};

/** Puts the wishes into the pending section. */
function draw(context: Context, draft: GuestState, options: Record<string, string>, deletes: string[], reverts: string[]): void {
  for (const key of reverts) forget(draft, key);
  for (const key of deletes) {
    const both = options[key] !== undefined;
    if (both) throw badParameter({ delete: `duplicate parameter '${key}': it is both set and deleted` });
    delete draft.pending[key];
    if (draft.options[key] !== undefined && !draft.deleted.includes(key)) draft.deleted.push(key);
  }
  for (const [key, value] of Object.entries(options)) {
    forget(draft, key);
    const stored = storedText(context, draft, key, value);
    if (draft.options[key] !== stored) draft.pending[key] = stored;
  }
}

function storedText(context: Context, draft: GuestState, key: string, value: string): string {
  if (/^net\d+$/.test(key)) return storedNet(value);
  if (!/^mp\d+$/.test(key)) return value;
  const storage = storageOf(key, value);
  if (storage !== undefined && draft.options[key] !== value) mustHave(context.token, `/storage/${storage}`, ['Datastore.AllocateSpace']);
  return storedVolume(key, value, draft.vmid, [...Object.values(draft.options), ...Object.values(draft.pending)]);
}

function forget(draft: GuestState, key: string): void {
  delete draft.pending[key];
  draft.deleted = draft.deleted.filter((one) => one !== key);
}

async function apply({ backend }: Context, draft: GuestState): Promise<void> {
  if (!draft.running) return applyPending(draft);
  const before = JSON.stringify(toBackend(draft));
  for (const key of [...draft.deleted].filter((one) => LIVE_DELETE.test(one))) {
    delete draft.options[key];
    forget(draft, key);
  }
  const now = Object.entries(draft.pending).filter(
    ([key]) => LIVE.test(key) || (LIVE_WHEN_NEW.test(key) && draft.options[key] === undefined),
  );
  for (const [key, value] of now) {
    draft.options[key] = value;
    forget(draft, key);
  }
  if (!draft.real || JSON.stringify(toBackend(draft)) === before) return;
  try {
    await backend.update(toBackend(draft));
  } catch (error) {
    const key = now.find(([one]) => one.startsWith('net'))?.[0] ?? now[0]?.[0] ?? 'config';
    throw badParameter({ [key]: `unable to hotplug ${key}: ${error instanceof Error ? error.message : error}` });
  }
}

/** What a start does, and any change of a stopped guest: everything pending is so now. */
export function applyPending(guest: GuestState): void {
  for (const key of guest.deleted) delete guest.options[key];
  Object.assign(guest.options, guest.pending);
  guest.pending = {};
  guest.deleted = [];
}

function merged({ options, pending, deleted }: GuestState): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...options, ...pending }).filter(([key]) => pending[key] !== undefined || !deleted.includes(key)),
  );
}

/** Perl's JSON has numbers where the schema says integer. */
const number = (text: string) => (/^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text);
const typed = (options: Record<string, string>) => Object.fromEntries(Object.entries(options).map(([key, value]) => [key, number(value)]));
const list = (text: string) => text.split(/[\s,;]+/).filter((one) => one !== '');

export const getStatus: Handler = async (context) => {
  const guest = guestOf(context);
  if (guest.real) guest.running = await context.backend.running(vmidOf(context));
  const { lock, hostname, memory = '512', cores } = guest.options;
  return {
    vmid: guest.vmid,
    type: 'lxc',
    status: guest.running ? 'running' : 'stopped',
    name: hostname ?? `CT${guest.vmid}`,
    maxmem: Number(memory) * 1024 ** 2,
    cpus: Number(cores ?? 1),
    uptime: 0,
    ha: { managed: 0 },
    ...(lock === undefined ? {} : { lock }),
  };
};

export const getInterfaces: Handler = async (context) => {
  const guest = guestOf(context);
  if (!guest.running) die(`CT ${guest.vmid} not running`);
  const found = guest.real ? await context.backend.interfaces(guest.vmid) : (guest.live ?? []);
  return found.map((one) => {
    const { others: _, ...rest } = one;
    return { ...rest, 'hardware-address': one.hwaddr, 'ip-addresses': addressList(one) };
  });
};

function addressList({ inet, inet6, others = [] }: LiveInterface) {
  return [inet, inet6, ...others].flatMap((ip) => {
    const [address, prefix] = ip?.split('/') ?? [];
    return address === undefined
      ? []
      : [{ 'ip-address': address, 'ip-address-type': address.includes(':') ? 'inet6' : 'inet', prefix: Number(prefix) }];
  });
}

/** QEMU guests tell their addresses through an agent, if one runs in them. */
export const getAgentInterfaces: Handler = (context) => {
  const guest = guestOf(context, 'qemu');
  if (!guest.running) die(`VM ${guest.vmid} is not running`);
  if (guest.live === undefined) throw new ApiFailure(500, 'QEMU guest agent is not running');
  return {
    result: guest.live.map((one) => ({
      name: one.name,
      'hardware-address': one.hwaddr,
      'ip-addresses': addressList(one),
    })),
  };
};
