import { MOUNT, ROOTFS } from '../../../tools/executors/src/platforms/proxmox/formats.ts';
import { parseSize, printProperties, printSize } from '../../../tools/executors/src/platforms/proxmox/property-string.ts';
import { applyPending } from './config.ts';
import { type Context, checkLock, guestOf, type Handler, vmidOf } from './context.ts';
import { die } from './failure.ts';
import { readMount, toBackend } from './options.ts';
import { digest, type GuestState } from './state.ts';
import type { Log } from './tasks.ts';

/** Starts a guest; what is pending comes into force. */
export async function startNow({ backend, store }: Context, guest: GuestState, log: Log): Promise<void> {
  applyPending(guest);
  store.save();
  const there = [...store.state.bridges, ...store.state.vnets.map(({ vnet }) => vnet)];
  const missing = toBackend(guest).interfaces.find(({ bridge }) => !there.includes(bridge));
  if (missing !== undefined) die(`bridge '${missing.bridge}' does not exist`);
  log(`starting CT ${guest.vmid}`);
  if (guest.real) await backend.start(toBackend(guest));
  guest.running = true;
  store.save();
}

async function stopNow({ backend, store }: Context, guest: GuestState, how: 'hard' | 'gentle'): Promise<void> {
  if (guest.real) await backend.stop(guest.vmid, how);
  guest.running = false;
  store.save();
}

/** A call that starts a worker on the guest's lock. */
function worker(
  type: string,
  wants: 'running' | 'stopped' | 'any',
  work: (context: Context, guest: GuestState, log: Log) => Promise<void>,
): Handler {
  return async (context) => {
    const guest = guestOf(context);
    const vmid = vmidOf(context);
    if (guest.real) guest.running = await context.backend.running(vmid);
    checkLock(guest);
    if (wants === 'running' && !guest.running) die(`CT ${vmid} not running`);
    if (wants === 'stopped' && guest.running) die(`CT ${vmid} already running`);
    return context.tasks.start(type, String(vmid), context.user, (log) => context.locks.hold(vmid, () => work(context, guest, log)));
  };
}

export const startGuest = worker('vzstart', 'stopped', startNow);
export const stopGuest = worker('vzstop', 'running', (context, guest) => stopNow(context, guest, 'hard'));
export const shutdownGuest = worker('vzshutdown', 'running', (context, guest) => stopNow(context, guest, 'gentle'));
export const rebootGuest = worker('vzreboot', 'running', async (context, guest, log) => {
  await stopNow(context, guest, 'gentle');
  await startNow(context, guest, log);
});

export const destroyGuest: Handler = async (context) => {
  const guest = guestOf(context);
  const { vmid } = guest;
  checkLock(guest);
  if (guest.options.protection === '1') die(`can't remove CT ${vmid} - protection mode enabled`);
  if (guest.running && context.params.force !== '1') die(`CT ${vmid} is running - destroy failed`);
  return context.tasks.start('vzdestroy', String(vmid), context.user, () =>
    context.locks.hold(vmid, async () => {
      if (guest.real) await context.backend.destroy(vmid);
      context.store.state.guests.splice(context.store.state.guests.indexOf(guest), 1);
      context.store.save();
    }),
  );
};

/** Growth only; what is no growth is refused before any worker starts. */
export const resizeDisk: Handler = (context) =>
  context.locks.hold(vmidOf(context), async () => {
    const guest = guestOf(context);
    const { disk = '', size = '', digest: given } = context.params;
    checkLock(guest);
    if (given !== undefined && given !== digest(guest)) die('detected modified configuration - file changed by other user? Try again.');
    const text = guest.options[disk] ?? die(`disk '${disk}' does not exist`);
    const mount = readMount(disk, text);
    const now = parseSize(mount.size ?? die(`volume '${mount.volume}' has no size`));
    const wanted = size.startsWith('+') ? now + parseSize(size.slice(1)) : parseSize(size);
    if (wanted < now) die('unable to shrink disk size');
    if (wanted === now) die('disk is already at specified size');
    return context.tasks.start('resize', String(guest.vmid), context.user, () =>
      context.locks.hold(guest.vmid, async () => {
        guest.options[disk] = printProperties(disk === 'rootfs' ? ROOTFS : MOUNT, { ...mount, size: printSize(wanted) });
        context.store.save();
      }),
    );
  });
