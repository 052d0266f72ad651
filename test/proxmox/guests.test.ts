import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { GuestConfig } from '../../tools/executors/src/platforms/proxmox/config.ts';
import { readGuest } from '../../tools/executors/src/platforms/proxmox/config.ts';
import {
  DeniedError,
  DigestError,
  LockedError,
  type ParameterError,
  ProxmoxError,
} from '../../tools/executors/src/platforms/proxmox/errors.ts';
import { NET } from '../../tools/executors/src/platforms/proxmox/formats.ts';
import { parseProperties, printProperties } from '../../tools/executors/src/platforms/proxmox/property-string.ts';
import { upid, waitForTask } from '../../tools/executors/src/platforms/proxmox/task.ts';
import { guest, MINIMAL_ACL } from './double/state.ts';
import { create, type Running, running, USUAL } from './testing.ts';

const anything = z.unknown();
const place = { node: 'pve', vmid: 101 };
const folder = ['nodes', 'pve', 'lxc', 101];
const config = [...folder, 'config'];

let now: Running;
afterEach(() => now?.close());

async function withGuest(more: Parameters<typeof create>[2] = {}, given: Parameters<typeof running>[0] = {}) {
  now = await running(given);
  await create(now.client, 101, more);
  return now;
}

const read = async () => {
  const found = await readGuest(now.client, place);
  if (found === undefined) throw new Error('there is no guest 101');
  return found;
};
const put = (params: Record<string, string | number>) => now.client.put(config, anything, params);
const task = async (call: Promise<string>) => waitForTask(now.client, await call, { pollMs: 5 });
const net0 = ({ options }: GuestConfig) => parseProperties(NET, options.net0 ?? '');

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

describe('changing a running guest', () => {
  it.each([
    ['cores', '4'],
    ['memory', '2048'],
    ['swap', '0'],
    ['tags', 'app;pote'],
    ['onboot', '1'],
    ['hostname', 'other'],
  ])('%s is live', async (key, value) => {
    await withGuest({ start: true });
    await put({ [key]: value });
    const { current, pending } = await read();
    expect(current.options[key]).toBe(value);
    expect(pending.find((one) => one.key === key)?.pending).toBeUndefined();
  });

  it.each([
    ['features', 'nesting=0'],
    ['nameserver', '10.77.0.1'],
    ['searchdomain', 'lan'],
    ['timezone', 'host'],
    ['tty', '1'],
  ])('%s is pending with HTTP 200, and comes with the next start', async (key, value) => {
    await withGuest({ start: true });
    const before = (await read()).current.options[key];
    await put({ [key]: value });
    const waiting = await read();
    expect(waiting.current.options[key]).toBe(before);
    expect(waiting.config.options[key]).toBe(value);
    expect(waiting.pending.find((one) => one.key === key)).toMatchObject({ pending: value });
    await task(now.client.post([...folder, 'status', 'reboot'], upid));
    expect((await read()).current.options[key]).toBe(value);
  });

  it('an option that is to go is told so until the next start', async () => {
    await withGuest({ start: true, nameserver: '10.77.0.1' });
    await put({ delete: 'nameserver' });
    const { config: next, current, pending } = await read();
    expect([next.options.nameserver, current.options.nameserver]).toEqual([undefined, '10.77.0.1']);
    expect(pending.find(({ key }) => key === 'nameserver')).toEqual({ key: 'nameserver', value: '10.77.0.1', delete: 1 });
  });

  it('net0 without its hwaddr gets another MAC; carried over it keeps it', async () => {
    await withGuest({ start: true });
    const before = net0((await read()).config);
    await put({ net0: printProperties(NET, { ...before, ip: '10.77.0.102/24' }) });
    expect(net0((await read()).config)).toEqual({ ...before, ip: '10.77.0.102/24' });
    expect(now.backend.guests.get(101)?.guest.interfaces[0]).toMatchObject({ ip: '10.77.0.102/24', hwaddr: before.hwaddr });
    await put({ net0: 'name=eth0,bridge=vmbr0,ip=10.77.0.102/24' });
    expect(net0((await read()).config).hwaddr).not.toBe(before.hwaddr);
  });

  it('a failing hotplug is told for its option, and nothing is written', async () => {
    await withGuest({ start: true });
    const before = await read();
    now.backend.update = async () => {
      throw new Error('no such device');
    };
    const error = await put({ net0: 'name=eth0,bridge=vmbr0,ip=10.77.0.109/24' }).catch((e: unknown) => e);
    expect((error as ParameterError).refusal.errors).toEqual({ net0: 'unable to hotplug net0: no such device' });
    expect((await read()).config).toEqual(before.config);
  });
});

describe('changing any guest', () => {
  it('with an old digest is refused; what is pending counts', async () => {
    await withGuest({ start: true });
    const { digest } = (await read()).config;
    await put({ tty: 1, digest });
    await expect(put({ cores: 2, digest })).rejects.toThrow(DigestError);
    await put({ cores: 2, digest: (await read()).config.digest });
  });

  it('a stopped one takes everything at once, and what is said of its disk literally', async () => {
    await withGuest();
    await put({ nameserver: '10.77.0.1', rootfs: 'local-zfs:8' });
    expect((await read()).current.options).toMatchObject({ nameserver: '10.77.0.1', rootfs: 'local-zfs:8' });
  });

  it.each([
    [{ delete: 'memory' }, "unable to delete required option 'memory'"],
    [{ unprivileged: '0' }, "unable to modify read-only option: 'unprivileged'"],
    [{ digest: 'a'.repeat(40) }, 'no options specified'],
    [{ features: 'nesting=1,fuse=1' }, 'only allowed for root@pam'],
  ])('%o is refused', async (params, message) => {
    await withGuest();
    await expect(put(params)).rejects.toThrow(message);
  });

  it('a locked one is left alone', async () => {
    await withGuest();
    const [one] = now.state.guests;
    if (one !== undefined) one.options.lock = 'backup';
    await expect(put({ cores: 2 })).rejects.toThrow(LockedError);
    expect((await read()).status.lock).toBe('backup');
  });

  it('one that another process holds is locked after the wait', async () => {
    await withGuest();
    let release = () => {};
    now.backend.start = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await now.client.post([...folder, 'status', 'start'], upid);
    await expect(put({ cores: 2 })).rejects.toThrow("can't lock file '/run/lock/lxc/pve-config-101.lock' - got timeout");
    release();
  });
});

describe('a disk', () => {
  const resize = (size: string) => now.client.put([...folder, 'resize'], upid, { disk: 'rootfs', size });
  it('grows, to a size or by one', async () => {
    await withGuest();
    await task(resize('10G'));
    await task(resize('+512M'));
    expect((await read()).config.options.rootfs).toBe('local-zfs:subvol-101-disk-0,size=10752M');
  });

  it.each([
    ['4G', 'unable to shrink disk size'],
    ['8G', 'disk is already at specified size'],
    ['8192M', 'disk is already at specified size'],
  ])('does not become %s', async (size, message) => {
    await withGuest();
    await expect(resize(size)).rejects.toThrow(message);
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
