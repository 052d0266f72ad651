import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readGuest } from '../../tools/executors/src/platforms/proxmox/config.ts';
import { DeniedError, ProxmoxError } from '../../tools/executors/src/platforms/proxmox/errors.ts';
import { upid, waitForTask } from '../../tools/executors/src/platforms/proxmox/task.ts';
import { guest, MINIMAL_ACL } from './double/state.ts';
import { folder, net0, place, readOne, withOneGuest } from './one-guest.ts';
import { create, type Running, running, USUAL } from './testing.ts';

const anything = z.unknown();

let now: Running;
afterEach(() => now?.close());

async function withGuest(more: Parameters<typeof withOneGuest>[0] = {}, given: Parameters<typeof withOneGuest>[1] = {}) {
  now = await withOneGuest(more, given);
}

const read = () => readOne(now);
const put = (params: Record<string, string | number>) => now.client.put([...folder, 'config'], anything, params);
const task = async (call: Promise<string>) => waitForTask(now.client, await call, { pollMs: 5 });

describe('creating', () => {
  it('makes a guest that does not run, with a MAC of its own, on the disk that was asked for', async () => {
    await withGuest();
    const { config: made, status, pending } = await read();
    expect(made.options).toMatchObject({ hostname: 'pote-dev', rootfs: 'local-zfs:subvol-101-disk-0,size=8G', unprivileged: '1' });
    expect(net0(made).hwaddr).toMatch(/^BC:24:11(:[0-9A-F]{2}){3}$/);
    expect(status.status).toBe('stopped');
    expect(pending.every((one) => one.pending === undefined && one.delete === undefined)).toBe(true);
    expect(pending.map(({ key }) => key)).not.toContain('digest');
    expect(now.backend.guests.get(101)?.guest).toMatchObject({ hostname: 'pote-dev', nesting: true, unprivileged: true });
  });

  it('starts it if asked to, with the keys that may log in', async () => {
    await withGuest({ start: true, 'ssh-public-keys': 'ssh-ed25519 AAAA a@b' });
    expect((await read()).status.status).toBe('running');
    expect(now.backend.guests.get(101)?.birth.sshKeys).toBe('ssh-ed25519 AAAA a@b');
  });

  it.each([
    ['the number is taken', {}, "unable to create CT 101 - CT 101 already exists on node 'pve'"],
    ['there is no such storage', { vmid: 102, rootfs: 'nowhere:8' }, "storage 'nowhere' does not exist"],
    ['the storage holds no containers', { vmid: 102, rootfs: 'local:8' }, "storage 'local' does not support container directories"],
  ])('is refused when %s', async (_, params, message) => {
    await withGuest(
      {},
      {
        acl: { ...MINIMAL_ACL, '/storage': ['Datastore.AllocateSpace'], '/storage/local': ['Datastore.AllocateSpace', 'Datastore.Audit'] },
      },
    );
    await expect(now.client.post(['nodes', 'pve', 'lxc'], upid, { vmid: 101, ...USUAL, ...params })).rejects.toThrow(message);
  });

  it.each([
    ['a privileged guest', { unprivileged: false }, 'Sys.Modify'],
    [
      'a feature other than nesting',
      { features: 'nesting=1,keyctl=1' },
      'changing feature flags (except nesting) is only allowed for root@pam',
    ],
    ['a bind mount', { mp0: '/srv,mp=/srv' }, 'mount point type bind is only allowed for root@pam'],
    ['a device', { dev0: '/dev/kvm' }, 'only allowed for root@pam'],
    ['a hook script', { hookscript: 'local:snippets/x' }, 'only allowed for root@pam'],
    ['another bridge', { net0: 'name=eth0,bridge=vmbr1' }, '(/sdn/zones/localnetwork/vmbr1, SDN.Use)'],
  ])('%s is not for a token of these rights', async (_, params, message) => {
    now = await running();
    const refused = now.client.post(['nodes', 'pve', 'lxc'], upid, { vmid: 101, ...USUAL, ...params });
    await expect(refused).rejects.toThrow(DeniedError);
    await expect(refused).rejects.toThrow(message);
    expect(now.state.guests).toEqual([]);
  });

  it('that fails in its task leaves nothing behind', async () => {
    now = await running();
    const made = create(now.client, 101, { ostemplate: 'local:vztmpl/none.tar.zst' });
    await expect(made).rejects.toThrow("unable to create CT 101 - volume 'local:vztmpl/none.tar.zst' does not exist");
    expect(await readGuest(now.client, place)).toBeUndefined();
  });
});

describe('starting and stopping', () => {
  it('says when there is nothing to do, as an error', async () => {
    await withGuest();
    await expect(now.client.post([...folder, 'status', 'stop'], upid)).rejects.toThrow('CT 101 not running');
    await task(now.client.post([...folder, 'status', 'start'], upid));
    await expect(now.client.post([...folder, 'status', 'start'], upid)).rejects.toThrow('CT 101 already running');
    await task(now.client.post([...folder, 'status', 'shutdown'], upid));
    expect((await read()).status.status).toBe('stopped');
  });

  it('a running guest is not destroyed unless that is forced, a protected one never', async () => {
    await withGuest({ start: true });
    await expect(now.client.delete(folder, upid)).rejects.toThrow('CT 101 is running');
    await put({ protection: 1 });
    await expect(now.client.delete(folder, upid, { force: true })).rejects.toThrow('protection mode enabled');
    await put({ protection: 0 });
    await task(now.client.delete(folder, upid, { force: true, purge: true }));
    expect(await readGuest(now.client, place)).toBeUndefined();
    expect(now.backend.guests.size).toBe(0);
  });

  it('a roll-back stops the guest, and goes to the newest snapshot only', async () => {
    await withGuest({ start: true });
    const snapshots = [...folder, 'snapshot'];
    for (const snapname of ['first', 'second']) await task(now.client.post(snapshots, upid, { snapname }));
    await put({ cores: 8 });
    await expect(task(now.client.post([...snapshots, 'first', 'rollback'], upid))).rejects.toThrow(
      "can't rollback, 'first' is not most recent snapshot",
    );
    await task(now.client.post([...snapshots, 'second', 'rollback'], upid));
    const { status, config: back } = await read();
    expect([status.status, back.options.cores]).toEqual(['stopped', undefined]);
  });
});

it('a guest that is changed while it is read is read again, and given up when that does not end', async () => {
  await withGuest({ start: true });
  const [one] = now.state.guests;
  if (one === undefined) throw new Error('no guest');
  const at = 'GET /nodes/{node}/lxc/{vmid}/pending';
  now.state.faults.push({ at, kind: 'delay', ms: 50 });
  setTimeout(() => {
    one.options.cores = '7';
  }, 25);
  expect((await read()).config.options.cores).toBe('7');
  now.state.faults.push({ at, kind: 'delay', ms: 50, times: 9 });
  const timer = setInterval(() => {
    one.options.cores = String(Date.now());
  }, 5);
  await expect(read()).rejects.toThrow('the guest was changed while it was read, three times');
  clearInterval(timer);
});

it('a guest that is on another node is not there', async () => {
  now = await running({ state: { guests: [guest({ vmid: 101, node: 'other' })] } });
  expect(await readGuest(now.client, place)).toBeUndefined();
  await expect(now.client.get(['nodes', 'nowhere', 'lxc', 101, 'config'], anything)).rejects.toThrow("hostname lookup 'nowhere' failed");
});

it('a guest that may not be looked at is no absent guest', async () => {
  now = await running({ acl: {} });
  await expect(readGuest(now.client, place)).rejects.toThrow('Permission check failed (/vms/101, VM.Audit)');
});

it('what the double does not know is 501, as with the real one', async () => {
  now = await running();
  await expect(now.client.get(['nodes', 'pve', 'nothing'], anything)).rejects.toThrow(ProxmoxError);
});
