import { checkLock, guestOf, type Handler, vmidOf } from './context.ts';
import { die } from './failure.ts';
import { startNow } from './power.ts';

export const listSnapshots: Handler = (context) => [
  ...guestOf(context).snapshots.map(({ name, description = '' }, i, all) => ({ name, description, snaptime: i, parent: all[i - 1]?.name })),
  { name: 'current', description: 'You are here!' },
];

export const takeSnapshot: Handler = (context) => {
  const guest = guestOf(context);
  const { snapname = '', description } = context.params;
  checkLock(guest);
  if (guest.snapshots.some(({ name }) => name === snapname)) die(`snapshot name '${snapname}' already used`);
  return context.tasks.start('vzsnapshot', String(guest.vmid), context.user, () =>
    context.locks.hold(vmidOf(context), async () => {
      guest.snapshots.push({ name: snapname, ...(description === undefined ? {} : { description }), options: { ...guest.options } });
      context.store.save();
    }),
  );
};

/** On ZFS: to the newest one only. A running container is stopped hard, and stays stopped unless it is said otherwise. */
export const rollBack: Handler = (context) => {
  const guest = guestOf(context);
  const { snapname = '', start } = context.params;
  checkLock(guest);
  const found = guest.snapshots.find(({ name }) => name === snapname) ?? die(`snapshot '${snapname}' does not exist`);
  return context.tasks.start('vzrollback', String(guest.vmid), context.user, (log) =>
    context.locks.hold(guest.vmid, async () => {
      if (guest.snapshots.at(-1) !== found) die(`can't rollback, '${snapname}' is not most recent snapshot`);
      if (guest.running && guest.real) await context.backend.stop(guest.vmid, 'hard');
      guest.running = false;
      guest.options = { ...found.options };
      guest.pending = {};
      guest.deleted = [];
      context.store.save();
      if (start === '1') await startNow(context, guest, log);
    }),
  );
};
