import { type Context, type Handler, vmidOf } from './context.ts';
import { ApiFailure, badParameter, die } from './failure.ts';
import { checkOptionRights, storageOf, storedNet, storedVolume, toBackend } from './options.ts';
import { startNow } from './power.ts';
import { mustHave } from './rights.ts';
import { guest as newGuest } from './state.ts';
import type { Log } from './tasks.ts';

/** Parameters of a creation that do not end up in the guest's file. */
const NOT_OPTIONS = [
  ...['node', 'vmid', 'ostemplate', 'password', 'pool', 'storage', 'start', 'force', 'restore', 'unique', 'bwlimit', 'ha-managed'],
  ...['ignore-unpack-errors', 'ssh-public-keys'],
];

export const createGuest: Handler = (context) => {
  const { params, token, store, tasks, user } = context;
  const vmid = vmidOf(context);
  const options = Object.fromEntries(Object.entries(params).filter(([key]) => !NOT_OPTIONS.includes(key)));
  mustHave(token, `/vms/${vmid}`, ['VM.Allocate']);
  if (options.unprivileged === '0') mustHave(token, '/', ['Sys.Modify']);
  checkOptionRights(
    store.state,
    token,
    vmid,
    options,
    Object.keys(options).filter((key) => !['unprivileged', 'arch', 'ostype'].includes(key)),
  );
  const rootfs = options.rootfs ?? `${params.storage ?? 'local'}:4`;
  checkStorages(context, [['rootfs', rootfs], ...Object.entries(options).filter(([key]) => /^mp\d+$/.test(key))]);
  const taken = store.state.guests.find((one) => one.vmid === vmid);
  if (taken !== undefined)
    die(`unable to create CT ${vmid} - ${taken.type === 'lxc' ? 'CT' : 'VM'} ${vmid} already exists on node '${taken.node}'`);
  if (params['ssh-public-keys'] !== undefined) checkKeys(params['ssh-public-keys']);

  const guest = newGuest({ vmid, node: store.state.node, real: true, options: { lock: 'create' } });
  store.state.guests.push(guest);
  return tasks.start('vzcreate', String(vmid), user, async (log) => {
    try {
      await context.locks.hold(vmid, async () => {
        guest.options = { ...(await born(context, options, rootfs, log)), lock: 'create' };
        store.save();
        const template = params.ostemplate ?? '';
        await context.backend.create(toBackend(guest), { template, sshKeys: params['ssh-public-keys'] ?? '', password: params.password });
        delete guest.options.lock;
        store.save();
      });
    } catch (error) {
      // A creation that fails leaves nothing behind.
      await context.backend.destroy(vmid);
      store.state.guests.splice(store.state.guests.indexOf(guest), 1);
      throw new Error(`unable to create CT ${vmid} - ${error instanceof Error ? error.message : error}`);
    }
    if (params.start === '1') await startNow(context, guest, log);
  });
};

/** The file of a guest that has just been made. */
async function born(
  { params, store }: Context,
  options: Record<string, string>,
  rootfs: string,
  log: Log,
): Promise<Record<string, string>> {
  const vmid = Number(params.vmid);
  const template = store.state.storages.flatMap(({ volumes }) => volumes).find(({ volid }) => volid === params.ostemplate);
  if (template === undefined) throw new Error(`volume '${params.ostemplate}' does not exist`);
  const disk = storedVolume('rootfs', rootfs, vmid, []);
  log(`extracting archive '/var/lib/vz/template/cache/${params.ostemplate?.split('/').at(-1)}'`);
  log("Creating SSH host key 'ssh_host_ed25519_key' - this may take some time ...");
  const made: Record<string, string> = {
    arch: 'amd64',
    memory: '512',
    swap: '512',
    ostype: 'debian',
    unprivileged: '1',
    hostname: `CT${vmid}`,
    ...options,
    rootfs: disk,
  };
  for (const [key, value] of Object.entries(made)) {
    if (/^net\d+$/.test(key)) made[key] = storedNet(value);
    if (/^mp\d+$/.test(key)) made[key] = storedVolume(key, value, vmid, Object.values(made));
  }
  return made;
}

function checkStorages({ token, store }: Context, disks: readonly (readonly [string, string])[]): void {
  for (const [key, text] of disks) {
    const name = storageOf(key, text);
    if (name === undefined) throw badParameter({ [key]: 'no storage given' });
    const storage = store.state.storages.find((one) => one.storage === name) ?? die(`storage '${name}' does not exist`);
    mustHave(token, `/storage/${name}`, ['Datastore.AllocateSpace']);
    if (!storage.content.split(',').includes('rootdir')) die(`storage '${name}' does not support container directories`);
  }
}

function checkKeys(keys: string): void {
  const wrong = keys.split('\n').find((line) => line.trim() !== '' && !/^(\S+\s+)?(ssh|ecdsa|sk)-\S+\s+[A-Za-z0-9+/=]+(\s|$)/.test(line));
  if (wrong !== undefined) throw new ApiFailure(500, 'SSH public key validation error');
}
