import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type ErrorDetail, InputError, MooringError } from '../../engine/errors.ts';
import type { Page } from '../../engine/pages.ts';
import { whole } from './answer.ts';
import type { Proxmox } from './client.ts';
import { MaybeDone, saysLocked, UnreachableError } from './errors.ts';

/** A worker of the node, by its unique id. */
export type Upid = {
  readonly text: string;
  readonly node: string;
  readonly pid: number;
  readonly started: Date;
  /** `vzcreate`, `vzstart`, `vzstop`, `vzshutdown`, `vzreboot`, `vzdestroy`, `resize`, `download`, … */
  readonly type: string;
  /** What it is about: a vmid, mostly. */
  readonly id: string;
  readonly user: string;
};

/** A task that ended in success; warnings are told in its log. */
export type TaskResult = { readonly upid: Upid; readonly warnings: readonly string[] };

export type TaskOptions = {
  /** Called with each new line of the task's log. */
  readonly progress?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** How long it may take; 10 minutes when left out. */
  readonly timeoutMs?: number;
  /** First pause between two looks; it grows to ten times as much. */
  readonly pollMs?: number;
};

/** A task that ended, and not in success. */
export class TaskError extends MooringError {
  static override readonly page: Page | undefined = 'guests';
  /** What the task gave as its reason. */
  readonly exitStatus: string;
  /** It failed because something else held a lock, so that it may be tried again. */
  readonly locked: boolean;

  constructor(message: string, exitStatus: string, detail: ErrorDetail) {
    super(message, detail);
    this.exitStatus = exitStatus;
    this.locked = saysLocked(exitStatus);
  }
}

/** For the answer of a call that starts a task. */
export const upid = z.string().regex(/^UPID:/, 'expected the id of a task (UPID:…)');

const status = z.object({ status: z.enum(['running', 'stopped']), exitstatus: z.string().optional() });
const log = z.array(z.object({ n: whole, t: z.string() }));

const TAIL = 12;
/** So often a look at a running task may fail one after the other: its end does not depend on our looking. */
const BLIND_LOOKS = 5;

/** Reads a task's id. @throws InputError */
export function parseUpid(text: string): Upid {
  const [, node = '', pid = '', start = '', type = '', id = '', user = ''] =
    /^UPID:([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?):([0-9A-F]{8}):[0-9A-F]{8,9}:([0-9A-F]{8}):([^:\s]+):([^:\s]*):([^:\s]+):$/i.exec(
      text,
    ) ?? [];
  if (node === '') throw new InputError(`'${text}' is not the id of a Proxmox task (UPID:node:pid:pstart:start:type:id:user:)`);
  return { text, node, pid: Number.parseInt(pid, 16), started: new Date(Number.parseInt(start, 16) * 1000), type, id, user };
}

/**
 * Waits until a task has ended.
 *
 * @param text its UPID
 * @throws TaskError when it failed, with the tail of its log; MaybeDone when it is not known how it ended, or it still runs at the end of the time
 */
export async function waitForTask(proxmox: Proxmox, text: string, options: TaskOptions = {}): Promise<TaskResult> {
  const task = parseUpid(text);
  const path = ['nodes', task.node, 'tasks', text];
  const until = Date.now() + (options.timeoutMs ?? 600_000);
  const first = options.pollMs ?? 200;
  let [pause, lines, blind, unsaid] = [first, 0, 0, 0];
  const showLog = async () => {
    if (options.progress === undefined) return;
    const { data } = await proxmox.getPart([...path, 'log'], log, { start: lines, limit: 0 });
    const news = data.filter(({ n, t }) => n > lines && !isPlaceholder(n, t));
    for (const { t } of news) options.progress(t);
    lines = news.at(-1)?.n ?? lines;
  };
  for (;;) {
    try {
      const state = await proxmox.get([...path, 'status'], status);
      await showLog();
      blind = 0;
      if (state.status === 'stopped') {
        // The last line of the log, which the outcome is read from, may be written a moment after the worker has gone.
        if (isSaid(state.exitstatus) || ++unsaid > BLIND_LOOKS) return await outcome(proxmox, task, state.exitstatus);
      }
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      if (++blind > BLIND_LOOKS) throw unknownEnd(proxmox, task, `it cannot be watched any more: ${error.message}`, error);
    }
    if (Date.now() + pause > until) throw unknownEnd(proxmox, task, `it still runs after ${(options.timeoutMs ?? 600_000) / 1000} seconds`);
    await sleep(pause, undefined, { signal: options.signal });
    pause = Math.min(pause * 1.5, first * 10);
  }
}

const isSaid = (exit: string | undefined) => exit !== undefined && exit !== '' && exit !== 'unexpected status';
/** An empty log has one line that says so. */
const isPlaceholder = (n: number, text: string) => n === 1 && text === 'no content';

async function outcome(proxmox: Proxmox, task: Upid, exit: string | undefined): Promise<TaskResult> {
  if (exit === undefined || !isSaid(exit)) throw unknownEnd(proxmox, task, `it ended without saying how (${exit ?? 'no exit status'})`);
  if (exit === 'OK') return { upid: task, warnings: [] };
  const tail = await logTail(proxmox, task);
  if (/^WARNINGS: \d+$/.test(exit)) {
    const warnings = tail.filter((line) => /^WARN(ING)?:/i.test(line));
    return { upid: task, warnings: warnings.length > 0 ? warnings : [exit] };
  }
  throw new TaskError(`task ${task.type} ${task.id} failed: ${exit}`, exit, {
    host: proxmox.name,
    command: task.text,
    stderr: tail.slice(-TAIL).join('\n'),
  });
}

async function logTail(proxmox: Proxmox, task: Upid): Promise<string[]> {
  const path = ['nodes', task.node, 'tasks', task.text, 'log'];
  const { total } = await proxmox.getPart(path, log, { start: 0, limit: 1 });
  const { data } = await proxmox.getPart(path, log, { start: Math.max(0, total - 200), limit: 200 });
  return data.filter(({ n, t }) => !isPlaceholder(n, t)).map(({ t }) => t);
}

function unknownEnd(proxmox: Proxmox, task: Upid, why: string, cause?: unknown): MaybeDone {
  return new MaybeDone(
    `task ${task.type} ${task.id}: ${why}`,
    {
      host: proxmox.name,
      command: task.text,
      next: `pvesh get /nodes/${task.node}/tasks/${task.text}/log (on the node), then run the same command again`,
    },
    cause,
  );
}
