import { basename } from 'node:path';
import type { Context, Handler } from './context.ts';
import { ApiFailure, badParameter, die } from './failure.ts';
import { asksForBridges, bridgePath, may, permissions } from './rights.ts';
import type { GuestState } from './state.ts';

const VISIBLE = ['VM.Audit'];
const STORAGE = ['Datastore.Audit', 'Datastore.AllocateSpace'];

/** Guests that the token may see; nothing tells that there are others. */
const visible = ({ store, token }: Context): GuestState[] => store.state.guests.filter(({ vmid }) => may(token, `/vms/${vmid}`, VISIBLE));

function listed({ vmid, type, node, running, options }: GuestState) {
  return {
    id: `${type}/${vmid}`,
    vmid,
    type,
    node,
    name: options.hostname ?? options.name ?? `${type === 'lxc' ? 'CT' : 'VM'}${vmid}`,
    status: running ? 'running' : 'stopped',
    template: Number(options.template ?? 0),
    ...(options.tags === undefined ? {} : { tags: options.tags }),
    ...(options.lock === undefined ? {} : { lock: options.lock }),
  };
}

/** A guest may have ended by itself. */
async function look({ store, backend }: Context): Promise<void> {
  const real = store.state.guests.filter((guest) => guest.real);
  await Promise.all(
    real.map(async (guest) => {
      guest.running = await backend.running(guest.vmid);
    }),
  );
}

export const resources: Handler = async (context) => {
  await look(context);
  const { store, token, params } = context;
  const { nodes, storages } = store.state;
  const all = [
    ...visible(context).map(listed),
    ...nodes.map(({ node, online }) => ({ id: `node/${node}`, type: 'node', node, status: online ? 'online' : 'offline' })),
    ...storages
      .filter(({ storage }) => may(token, `/storage/${storage}`, STORAGE, true))
      .map(({ storage, content, type }) => ({
        id: `storage/${store.state.node}/${storage}`,
        type: 'storage',
        storage,
        node: store.state.node,
        status: 'available',
        content,
        plugintype: type,
      })),
  ];
  const wanted = params.type === 'vm' ? ['lxc', 'qemu'] : params.type === undefined ? undefined : [params.type];
  return all.filter(({ type }) => wanted?.includes(type) ?? true);
};

export const guestsOfNode =
  (type: 'lxc' | 'qemu'): Handler =>
  async (context) => {
    await look(context);
    return visible(context)
      .filter((one) => one.type === type && one.node === context.params.node)
      .map(listed);
  };

export const nodes: Handler = ({ store }) =>
  store.state.nodes.map(({ node, online }) => ({ node, id: `node/${node}`, type: 'node', status: online ? 'online' : 'offline' }));

export const nextId: Handler = ({ store, params }) => {
  const used = (vmid: number) => store.state.guests.some((one) => one.vmid === vmid);
  if (params.vmid !== undefined) {
    if (used(Number(params.vmid))) throw badParameter({ vmid: `VM ${params.vmid} already exists` });
    return params.vmid;
  }
  let vmid = 100;
  while (used(vmid)) vmid++;
  return String(vmid);
};

export const ownPermissions: Handler = ({ store, token }) => permissions(store.state, token);
export const version: Handler = ({ store: { state } }) => ({
  version: state.version,
  release: state.version.split('.', 2).join('.').split('-')[0],
  repoid: '0123456789abcdef',
});

export const storages: Handler = ({ store, token }) =>
  store.state.storages
    .filter(({ storage }) => may(token, `/storage/${storage}`, STORAGE, true))
    .map(({ storage, type, content }) => ({
      storage,
      type,
      content,
      active: 1,
      enabled: 1,
      shared: 0,
      avail: 100 * 1024 ** 3,
      total: 200 * 1024 ** 3,
    }));

export const storageContent: Handler = ({ store, params }) => {
  const found = store.state.storages.find(({ storage }) => storage === params.storage) ?? die(`storage '${params.storage}' does not exist`);
  return found.volumes
    .filter(({ content }) => params.content === undefined || content === params.content)
    .map((volume) => ({ ...volume, format: 'tzst' }));
};

/**
 * Bridges and virtual networks are shown to those who may use or audit them, or a VLAN in them (`check_sdn_bridge` of pve-access-control; `index`
 * of pve-manager's Network.pm and `get_local_vnets` of pve-network: no zone is told).
 */
export const networks: Handler = ({ store: { state }, token, params: { type } }) => {
  const seen = (path: string) =>
    !asksForBridges(state) ||
    [path, ...Object.keys(token.acl).filter((one) => one.startsWith(`${path}/`))].some((one) =>
      may(token, one, ['SDN.Audit', 'SDN.Use'], true),
    );
  const bridges = state.bridges.map((iface) => ({ path: bridgePath(state, iface), iface, type: 'bridge', active: 1, autostart: 1 }));
  const vnets = state.vnets.map(({ vnet: iface }) => ({ path: bridgePath(state, iface), iface, type: 'vnet', active: '1', vlanaware: 0 }));
  return [
    ...(['bridge', 'any_bridge', 'any_local_bridge', undefined].includes(type) ? bridges : []),
    ...(['vnet', 'any_bridge', 'include_sdn'].includes(String(type)) ? vnets : []),
  ].flatMap(({ path, ...shown }) => (seen(path) ? [shown] : []));
};

/** Who may only use a virtual network is not shown it here. */
export const vnets: Handler = ({ store: { state }, token }) =>
  state.vnets
    .filter(({ vnet }) => may(token, bridgePath(state, vnet), ['SDN.Audit', 'SDN.Allocate'], true))
    .map(({ vnet, zone }) => ({ vnet, zone, type: 'vnet', digest: '0'.repeat(40) }));

export const downloads: Handler = ({ store }) =>
  store.state.downloads.map((template) => ({ template, os: template.replace(/^(\w+-\d+).*/, '$1'), type: 'lxc', section: 'system' }));

function fetched({ store, tasks, user }: Context, storage: string, name: string): string {
  const found = store.state.storages.find((one) => one.storage === storage) ?? die(`storage '${storage}' does not exist`);
  if (!found.content.split(',').includes('vztmpl')) die(`can't upload to storage type '${found.type}'`);
  return tasks.start('download', basename(name), user, async (log) => {
    const volid = `${storage}:vztmpl/${basename(name)}`;
    log(`downloading ${name} to /var/lib/vz/template/cache/${basename(name)}`);
    if (!found.volumes.some((volume) => volume.volid === volid)) found.volumes.push({ volid, content: 'vztmpl', size: 126_515_062 });
    store.save();
  });
}

export const downloadTemplate: Handler = (context) => {
  const { template = '', storage = '' } = context.params;
  if (!context.store.state.downloads.includes(template)) throw badParameter({ template: 'no such template' });
  return fetched(context, storage, template);
};

export const downloadUrl: Handler = (context) => {
  const { filename = '', storage = '', content } = context.params;
  if (content !== 'vztmpl') throw new ApiFailure(501, 'the double downloads templates only');
  return fetched(context, storage, filename);
};

const taskOf = ({ store, params }: Context) =>
  store.state.tasks.find(({ upid }) => upid === params.upid) ?? die(`unable to parse worker upid '${params.upid}'`);

export const tasks: Handler = ({ store, user }) =>
  store.state.tasks.filter((task) => task.user === user).map(({ log: _, ...task }) => task);
export const taskStatus: Handler = (context) => {
  const { log: _, ...task } = taskOf(context);
  return task;
};

/** Lines from `start`, so many; 0: to the end. An empty log has one line that says so. */
export const taskLog = (context: Context): { lines: { n: number; t: string }[]; total: number } => {
  const { log } = taskOf(context);
  const start = Number(context.params.start ?? 0);
  const limit = Number(context.params.limit ?? 50);
  const lines = log.map((t, i) => ({ n: i + 1, t })).slice(start, limit === 0 ? undefined : start + limit);
  return log.length === 0 ? { lines: [{ n: 1, t: 'no content' }], total: 1 } : { lines, total: log.length };
};
