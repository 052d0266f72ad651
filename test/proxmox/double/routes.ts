import { getAgentInterfaces, getConfig, getInterfaces, getPending, getStatus, putConfig } from './config.ts';
import type { Context, Handler } from './context.ts';
import { createGuest } from './create.ts';
import * as lists from './lists.ts';
import { destroyGuest, rebootGuest, resizeDisk, shutdownGuest, startGuest, stopGuest } from './power.ts';
import { listSnapshots, rollBack, takeSnapshot } from './snapshots.ts';

/** An answer with more than `data` in its body. */
export class Page {
  readonly data: unknown;
  readonly total: number;

  constructor(data: unknown, total: number) {
    this.data = data;
    this.total = total;
  }
}

const qemu =
  (handler: Handler): Handler =>
  (context: Context) =>
    handler({ ...context, params: { ...context.params, type: 'qemu' } });

/** What the double answers; anything else is 501, as an unknown path is. */
const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /version': lists.version,
  'GET /access/permissions': lists.ownPermissions,
  'GET /cluster/resources': lists.resources,
  'GET /cluster/nextid': lists.nextId,
  'GET /cluster/sdn/vnets': lists.vnets,
  'GET /nodes': lists.nodes,
  'GET /nodes/{node}/storage': lists.storages,
  'GET /nodes/{node}/storage/{storage}/content': lists.storageContent,
  'POST /nodes/{node}/storage/{storage}/download-url': lists.downloadUrl,
  'GET /nodes/{node}/network': lists.networks,
  'GET /nodes/{node}/aplinfo': lists.downloads,
  'POST /nodes/{node}/aplinfo': lists.downloadTemplate,
  'GET /nodes/{node}/tasks': lists.tasks,
  'GET /nodes/{node}/tasks/{upid}/status': lists.taskStatus,
  'GET /nodes/{node}/tasks/{upid}/log': (context) => {
    const { lines, total } = lists.taskLog(context);
    return new Page(lines, total);
  },
  'GET /nodes/{node}/qemu': lists.guestsOfNode('qemu'),
  'GET /nodes/{node}/qemu/{vmid}/config': qemu(getConfig),
  'GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces': getAgentInterfaces,
  'GET /nodes/{node}/lxc': lists.guestsOfNode('lxc'),
  'POST /nodes/{node}/lxc': createGuest,
  'DELETE /nodes/{node}/lxc/{vmid}': destroyGuest,
  'GET /nodes/{node}/lxc/{vmid}/config': getConfig,
  'PUT /nodes/{node}/lxc/{vmid}/config': putConfig,
  'GET /nodes/{node}/lxc/{vmid}/pending': getPending,
  'GET /nodes/{node}/lxc/{vmid}/interfaces': getInterfaces,
  'PUT /nodes/{node}/lxc/{vmid}/resize': resizeDisk,
  'GET /nodes/{node}/lxc/{vmid}/status/current': getStatus,
  'POST /nodes/{node}/lxc/{vmid}/status/start': startGuest,
  'POST /nodes/{node}/lxc/{vmid}/status/stop': stopGuest,
  'POST /nodes/{node}/lxc/{vmid}/status/shutdown': shutdownGuest,
  'POST /nodes/{node}/lxc/{vmid}/status/reboot': rebootGuest,
  'GET /nodes/{node}/lxc/{vmid}/snapshot': listSnapshots,
  'POST /nodes/{node}/lxc/{vmid}/snapshot': takeSnapshot,
  'POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback': rollBack,
};

/**
 * Paths that the schema's excerpt does not have, with the rights they need and the parameters of their path; they take no others.
 * Proxmox VE 9 has VM.GuestAgent.Audit for what the agent tells, 8 has VM.Monitor.
 */
export const OUTSIDE_SCHEMA: Readonly<Record<string, { path: string; privileges: string[] }>> = {
  'GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces': {
    path: '/vms/{vmid}',
    privileges: ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'],
  },
};

/** Finds the route of a path, fixed words before placeholders. */
export function findRoute(method: string, path: string): { name: string; handler: Handler; params: Record<string, string> } | undefined {
  const parts = path.split('/').map(decodeURIComponent);
  for (const [name, handler] of Object.entries(ROUTES)) {
    const [wanted, template = ''] = name.split(' ');
    const names = template.split('/');
    if (wanted !== method || names.length !== parts.length) continue;
    if (!names.every((one, i) => one.startsWith('{') || one === parts[i])) continue;
    return {
      name,
      handler,
      params: Object.fromEntries(names.flatMap((one, i) => (one.startsWith('{') ? [[one.slice(1, -1), parts[i] ?? '']] : []))),
    };
  }
  return undefined;
}
