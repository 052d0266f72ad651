import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Who holds a lock, as its file says. */
export type Holder = { readonly pid: number; readonly host: string };

/** A holder touches its file this often; one not touched for `STALE_MS` was left by a process that is gone. */
const TOUCH_MS = 2000;
const STALE_MS = 15_000;

/**
 * Does some work while no other process of this machine does the same: the lock is a file that is created
 * exclusively and kept fresh. Should two processes hold it after all (one was asleep for long), the store stays
 * whole: everything is moved into it by a rename.
 *
 * @param waiting called about every 5 s with the holder while another process holds the lock
 */
export async function withLock<T>(
  path: string,
  options: { signal?: AbortSignal; waiting?: (holder: Holder | undefined, waitedMs: number) => void },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const since = Date.now();
  for (let turn = 0; !(await tryLock(path)); turn++) {
    if (turn % 20 === 0) options.waiting?.(await holderOf(path), Date.now() - since);
    await sleep(250, undefined, { signal: options.signal });
  }
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, TOUCH_MS);
  timer.unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.writeFile(JSON.stringify({ pid: process.pid, host: hostname() })).finally(() => handle.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!(await isStale(path))) return false;
  // Moved aside, not removed: of two that take over at once only one finds the file to move.
  const aside = `${path}.${process.pid}.stale`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  await rm(aside, { force: true });
  return moved && tryLock(path);
}

async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (Date.now() - found.mtimeMs > STALE_MS) return true;
  const holder = await holderOf(path);
  return holder !== undefined && holder.host === hostname() && !isAlive(holder.pid);
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    const { pid, host } = JSON.parse(await readFile(path, 'utf8'));
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is such a process on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
