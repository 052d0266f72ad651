import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DigestError, LockedError, type ParameterError } from '../../tools/executors/src/platforms/proxmox/errors.ts';
import { NET } from '../../tools/executors/src/platforms/proxmox/formats.ts';
import { printProperties } from '../../tools/executors/src/platforms/proxmox/property-string.ts';
import { upid, waitForTask } from '../../tools/executors/src/platforms/proxmox/task.ts';
import { folder, net0, readOne, withOneGuest } from './one-guest.ts';
import type { Running } from './testing.ts';

const anything = z.unknown();

let now: Running;
afterEach(() => now?.close());

async function withGuest(more: Parameters<typeof withOneGuest>[0] = {}) {
  now = await withOneGuest(more);
}

const read = () => readOne(now);
const put = (params: Record<string, string | number>) => now.client.put([...folder, 'config'], anything, params);
const task = async (call: Promise<string>) => waitForTask(now.client, await call, { pollMs: 5 });

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
