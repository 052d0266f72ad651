import { setTimeout as sleep } from 'node:timers/promises';
import { HostError, type MooringError } from '../../engine/errors.ts';
import type { DescribedGuest } from '../../engine/guest-platform.ts';
import { stopped } from '../../engine/stopped.ts';
import { type Guest, readGuest } from './config.ts';
import type { ProxmoxRun } from './proxmox-run.ts';

/** How long something may hold a guest's lock. */
const LOCK_MS = 600_000;

/** Reads the guest again and again, until it shows what is waited for. @throws the given error where it never does */
export async function until(
  run: ProxmoxRun,
  target: DescribedGuest,
  done: (guest: Guest | undefined) => boolean,
  error: MooringError,
  withinMs: number,
): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    if (done(await readGuest(run.client, target.wanted))) return;
    if (performance.now() > end) throw error;
    if (run.signal.aborted) throw stopped(run.signal);
    await sleep(1000);
  }
}

/** Waits while a backup, a migration or the creation of an earlier run holds the guest. */
export async function unlocked(run: ProxmoxRun, target: DescribedGuest, guest: Guest): Promise<Guest> {
  const { lock } = guest.status;
  if (lock === undefined) return guest;
  run.progress(`${target.project}: guest ${target.wanted.vmid} is locked (${lock}); waiting`);
  const locked = new HostError(`guest ${target.wanted.vmid} is still locked (${lock})`, {
    page: 'guests',
    host: run.client.name,
    next: `wait until it is done; if nothing is at work any more: pct unlock ${target.wanted.vmid} (on the node)`,
  });
  await until(run, target, (now) => now?.status.lock === undefined, locked, LOCK_MS);
  return mustRead(run, target);
}

/** The guest, which must be there. @throws HostError */
export async function mustRead(run: ProxmoxRun, { wanted }: DescribedGuest): Promise<Guest> {
  const guest = await readGuest(run.client, wanted);
  if (guest !== undefined) return guest;
  throw new HostError(`guest ${wanted.vmid} is not there any more`, {
    page: 'guests',
    host: run.client.name,
    next: 'look at the task list of the node',
  });
}

/** Waits until a guest that an earlier run began to create is whole: before that it does not say whose it is. */
export async function wholeIfCreating(run: ProxmoxRun, target: DescribedGuest): Promise<void> {
  const guest = await readGuest(run.client, target.wanted);
  if (guest?.status.lock === 'create') await unlocked(run, target, guest);
}
