import { lastLines } from '../../../tools/executors/src/engine/errors.ts';
import { die } from './failure.ts';
import type { Store, TaskState } from './state.ts';

export type Log = (line: string) => void;

/** Workers: they run after the call that started them was answered, and leave a log. */
export class Tasks {
  readonly #store: Store;
  readonly #running = new Set<Promise<void>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** @returns the UPID */
  start(type: string, id: string, user: string, work: (log: Log) => Promise<void>): string {
    const { state } = this.#store;
    const starttime = Math.trunc(Date.now() / 1000);
    const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
    const upid = `UPID:${state.node}:${hex(++state.sequence)}:${hex(state.sequence * 17)}:${hex(starttime)}:${type}:${id}:${user}:`;
    const task: TaskState = { upid, node: state.node, type, id, user, starttime, status: 'running', log: [] };
    state.tasks.push(task);
    this.#store.save();
    const done = this.#run(task, work).finally(() => this.#running.delete(done));
    this.#running.add(done);
    return upid;
  }

  /** Waits for the workers that run now. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #run(task: TaskState, work: (log: Log) => Promise<void>): Promise<void> {
    const fault = this.#fault(task.type);
    task.log.push(...(fault?.log ?? []));
    let end = 'OK';
    try {
      if (!fault?.before) await work((line) => task.log.push(...line.split('\n')));
      end = fault?.status ?? 'OK';
    } catch (error) {
      end = lastLines(error instanceof Error ? error.message : String(error), 20);
    }
    if (end !== 'unexpected status') task.log.push(lastLine(end));
    task.status = 'stopped';
    task.exitstatus = end;
    this.#store.save();
  }

  #fault(type: string) {
    const { faults } = this.#store.state;
    const at = faults.findIndex((one) => one.kind === 'exit' && one.task === type);
    const found = faults[at];
    if (found?.kind !== 'exit') return undefined;
    found.times = (found.times ?? 1) - 1;
    if (found.times <= 0) faults.splice(at, 1);
    return found;
  }
}

function lastLine(end: string): string {
  if (end === 'OK') return 'TASK OK';
  return end.startsWith('WARNINGS:') ? `TASK ${end}` : `TASK ERROR: ${end}`;
}

/** The lock on a guest's file: one holder, the others wait so long. */
export class Locks {
  readonly #held = new Map<number, Promise<unknown>>();
  readonly #waitMs: number;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  async hold<T>(vmid: number, work: () => Promise<T>): Promise<T> {
    const until = Date.now() + this.#waitMs;
    for (let holder = this.#held.get(vmid); holder !== undefined; holder = this.#held.get(vmid)) {
      const left = until - Date.now();
      if (left <= 0) die(`can't lock file '/run/lock/lxc/pve-config-${vmid}.lock' - got timeout`);
      await Promise.race([holder, new Promise((resolve) => setTimeout(resolve, left).unref())]);
    }
    // Begun only once it is the holder: what it starts may ask for the same lock.
    const mine = Promise.resolve().then(work);
    this.#held.set(
      vmid,
      mine.catch(() => undefined).finally(() => this.#held.delete(vmid)),
    );
    return mine;
  }
}
