import { afterEach, expect, it } from 'vitest';
import { showError } from '../../tools/executors/src/engine/errors.ts';
import { MaybeDone } from '../../tools/executors/src/platforms/proxmox/errors.ts';
import { parseUpid, TaskError, upid, waitForTask } from '../../tools/executors/src/platforms/proxmox/task.ts';
import type { Fault } from './double/state.ts';
import { create, type Running, running } from './testing.ts';

let now: Running;
afterEach(() => now?.close());

async function starting(fault: Omit<Extract<Fault, { kind: 'exit' }>, 'task' | 'kind'>) {
  now = await running();
  await create(now.client, 101);
  now.state.faults.push({ task: 'vzstart', kind: 'exit', ...fault });
  return now.client.post(['nodes', 'pve', 'lxc', 101, 'status', 'start'], upid);
}

it('tells each line of the log once, in order', async () => {
  const lines: string[] = [];
  const id = await starting({ status: 'OK', log: ['one', 'two'] });
  const result = await waitForTask(now.client, id, { pollMs: 5, progress: (line) => lines.push(line) });
  expect(lines).toEqual(['one', 'two', 'starting CT 101', 'TASK OK']);
  expect(result.warnings).toEqual([]);
  expect(result.upid).toMatchObject({ type: 'vzstart', id: '101', node: 'pve', user: 'mooring@pve!test' });
});

it('with warnings is a success, and says them', async () => {
  const id = await starting({ status: 'WARNINGS: 1', log: ['WARN: old systemd (< v232) detected'] });
  expect((await waitForTask(now.client, id, { pollMs: 5 })).warnings).toEqual(['WARN: old systemd (< v232) detected']);
});

it('that failed says why, with the end of its log', async () => {
  const log = Array.from({ length: 300 }, (_, i) => `line ${i}`);
  const id = await starting({ status: 'startup for container 101 failed', log, before: true });
  const error = await waitForTask(now.client, id, { pollMs: 5 }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TaskError);
  expect((error as TaskError).locked).toBe(false);
  expect(showError(error)).toContain('task vzstart 101 failed: startup for container 101 failed');
  expect(showError(error)).toMatch(/line 298\n +line 299\n +TASK ERROR: startup for container 101 failed/);
  expect(showError(error)).not.toContain('line 200\n');
});

it('that failed at a lock says so', async () => {
  const id = await starting({ status: "can't lock file '/run/lock/lxc/pve-config-101.lock' - got timeout", before: true });
  const error = await waitForTask(now.client, id, { pollMs: 5 }).catch((e: unknown) => e);
  expect((error as TaskError).locked).toBe(true);
});

it('that ended without saying how may have been done', async () => {
  const id = await starting({ status: 'unexpected status' });
  await expect(waitForTask(now.client, id, { pollMs: 5 })).rejects.toThrow(MaybeDone);
});

it('whose last line comes late is asked again', async () => {
  const id = await starting({ status: 'unexpected status' });
  setTimeout(() => {
    const task = now.state.tasks.find((one) => one.upid === id);
    if (task !== undefined) task.exitstatus = 'OK';
  }, 40);
  expect((await waitForTask(now.client, id, { pollMs: 20 })).warnings).toEqual([]);
});

it('is watched on although a look or two fails, and is given up as unknown when all do', async () => {
  const id = await starting({ status: 'OK' });
  const at = 'GET /nodes/{node}/tasks/{upid}/status';
  now.state.faults.push({ at, kind: '596-after', times: 2 });
  expect((await waitForTask(now.client, id, { pollMs: 5 })).upid.text).toBe(id);
  now.state.faults.push({ at, kind: '596-after', times: 99 });
  await expect(waitForTask(now.client, id, { pollMs: 1 })).rejects.toThrow(MaybeDone);
});

it('that does not end is unknown after the time', async () => {
  now = await running();
  await create(now.client, 101);
  let release = () => {};
  now.backend.start = () =>
    new Promise((resolve) => {
      release = resolve;
    });
  const id = await now.client.post(['nodes', 'pve', 'lxc', 101, 'status', 'start'], upid);
  await expect(waitForTask(now.client, id, { pollMs: 5, timeoutMs: 60 })).rejects.toThrow('it still runs after 0.06 seconds');
  release();
});

it('has an id that is read strictly', () => {
  const task = parseUpid('UPID:pve-1:0003F2A1:0A1B2C3D4:66F00000:vzcreate:101:mooring@pve!deploy:');
  expect(task).toMatchObject({ node: 'pve-1', pid: 0x3f2a1, type: 'vzcreate', id: '101', user: 'mooring@pve!deploy' });
  expect(task.started).toEqual(new Date(0x66f00000 * 1000));
  for (const wrong of ['', 'OK', 'UPID:pve:1:2:3:x:y:z:', 'UPID:pve:0003F2A1:0A1B2C3D:66F00000:vzcreate:101:root@pam']) {
    expect(() => parseUpid(wrong)).toThrow('is not the id of a Proxmox task');
  }
});
