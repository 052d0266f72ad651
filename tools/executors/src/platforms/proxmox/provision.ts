import { z } from 'zod';
import { MooringError } from '../../engine/errors.ts';
import type { DescribedGuest } from '../../engine/guest-platform.ts';
import { stopped } from '../../engine/stopped.ts';
import type { Path } from './client.ts';
import { type Guest, lxcPath } from './config.ts';
import { MaybeDone } from './errors.ts';
import type { Params } from './params.ts';
import type { PlannedGuest } from './provision-plan.ts';
import type { ProxmoxRun } from './proxmox-run.ts';
import { planGuest } from './reconcile.ts';
import { mustRead, unlocked, until } from './settle.ts';
import { type TaskResult, upid, waitForTask } from './task.ts';

/** How long a task may take, and how long what a lost answer was about. */
const TASK_MS = 600_000;
const SETTLE_MS = 60_000;
const ROUNDS = 4;

/**
 * Does what a plan says: creates or changes the guest, restarts it where the plan has to, starts it. After a lost answer the
 * guest is read again, and what is there decides. Nothing is taken for done that was not seen.
 *
 * @returns the guest as it is then
 */
export async function applyProvision(run: ProxmoxRun, target: DescribedGuest, plan: PlannedGuest): Promise<Guest> {
  const { wanted } = target;
  let guest = plan.guest === undefined ? await create(run, target, plan) : await unlocked(run, target, plan.guest);
  const restart = guest.status.status === 'running' && planGuest(wanted, guest).changes.some(({ how }) => how === 'restart');
  guest = await reconcile(run, target, guest);
  if (restart) {
    await task(run, target, [...lxcPath(wanted), 'status', 'reboot'], { timeout: 120 }, 'restarting it', isRunning);
    guest = await mustRead(run, target);
  } else if (guest.status.status === 'stopped' && wanted.start) {
    await task(run, target, [...lxcPath(wanted), 'status', 'start'], {}, 'starting it', isRunning);
    guest = await mustRead(run, target);
  }
  const rest = planGuest(wanted, guest).changes;
  if (rest.length > 0) {
    throw new MooringError(
      `guest ${wanted.vmid} did not converge: this would still be changed: ${rest.map(({ resource, before, after }) => `${resource}: ${before} -> ${after}`).join('; ')}`,
      { next: 'somebody else may be changing it: look at the task list of the node' },
    );
  }
  return guest;
}

const isRunning = (guest: Guest | undefined) => guest?.status.status === 'running' && guest.status.lock === undefined;

async function create(run: ProxmoxRun, target: DescribedGuest, { creation }: PlannedGuest): Promise<Guest> {
  const { node } = target.wanted;
  if (creation === undefined) throw new Error('nothing was found to create the guest with');
  if (creation.download !== undefined) {
    const { storage, template } = creation.download;
    await task(run, target, ['nodes', node, 'aplinfo'], { storage, template }, `downloading ${template}`);
  }
  await task(
    run,
    target,
    ['nodes', node, 'lxc'],
    creation.params,
    'creating the guest',
    (guest) => guest !== undefined && !guest.status.lock,
  );
  return mustRead(run, target);
}

/** Sets what differs, one call after the other, each on what was read after the one before. */
async function reconcile(run: ProxmoxRun, target: DescribedGuest, before: Guest): Promise<Guest> {
  const path = lxcPath(target.wanted);
  let guest = before;
  for (let round = 0; round < ROUNDS; round++) {
    const { config, resize } = planGuest(target.wanted, guest);
    if (config !== undefined) {
      run.progress(
        `${target.project}: setting ${Object.keys(config)
          .filter((key) => key !== 'digest')
          .join(', ')}`,
      );
      // The answer to PUT is null, or a text in old versions. One that was lost is no matter: the guest is read again.
      await run.client.put([...path, 'config'], z.unknown(), config).catch(unlessMaybeDone);
    } else if (resize !== undefined) {
      await task(run, target, [...path, 'resize'], resize, `growing its disk to ${resize.size}`, () => true, 'put');
    } else return guest;
    guest = await mustRead(run, target);
  }
  return guest;
}

function unlessMaybeDone(error: unknown): void {
  if (!(error instanceof MaybeDone)) throw error;
}

/**
 * Starts a task and waits for its end.
 *
 * @param done whether the guest shows that it has come about, for the case that the answer was lost; without it a lost answer is a failure
 */
async function task(
  run: ProxmoxRun,
  target: DescribedGuest,
  path: Path,
  params: Params,
  what: string,
  done?: (guest: Guest | undefined) => boolean,
  method: 'post' | 'put' = 'post',
): Promise<void> {
  if (run.signal.aborted) throw stopped(run.signal);
  run.progress(`${target.project}: ${what}`);
  const progress = (line: string) => run.progress(`${target.project}:   ${line}`);
  try {
    const id = await run.client[method](path, upid, params);
    const result: TaskResult = await waitForTask(run.client, id, { progress, signal: run.signal, timeoutMs: TASK_MS });
    for (const warning of result.warnings) progress(warning);
  } catch (error) {
    if (run.signal.aborted) throw stopped(run.signal);
    if (!(error instanceof MaybeDone) || done === undefined) throw error;
    run.progress(`${target.project}: ${error.message}; looking whether it came about`);
    await until(run, target, done, error, SETTLE_MS);
  }
}
