import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { gatherAddresses } from '../../tools/executors/src/platforms/proxmox/addresses.ts';
import { openProxmox, type Proxmox } from '../../tools/executors/src/platforms/proxmox/client.ts';
import { listGuests, listNodes } from '../../tools/executors/src/platforms/proxmox/cluster.ts';
import { readGuest } from '../../tools/executors/src/platforms/proxmox/config.ts';
import { NET } from '../../tools/executors/src/platforms/proxmox/formats.ts';
import type { Params } from '../../tools/executors/src/platforms/proxmox/params.ts';
import { parseProperties, printProperties } from '../../tools/executors/src/platforms/proxmox/property-string.ts';
import { upid, waitForTask } from '../../tools/executors/src/platforms/proxmox/task.ts';
import { loadSecrets } from '../../tools/executors/src/secrets/load.ts';
import { TEMPLATE } from '../proxmox/double/state.ts';
import { LabDouble } from '../proxmox/lab-double.ts';

/* The double with real guests: what the app tier's tests stand on. Needs the lab with its image of guests (lab.sh proxmox). */

const run = promisify(execFile);
const PROJECT = `mooring-pve-${process.pid}`;
const VMID = 241;
const folder = ['nodes', 'pve', 'lxc', VMID];
const place = { node: 'pve', vmid: VMID };
const workspace = mkdtempSync(join(tmpdir(), 'mooring pve '));

let double: LabDouble;
let client: Proxmox;
let subnet: string;

beforeAll(async () => {
  subnet = execFileSync('incus', ['network', 'get', 'veza-net0', 'ipv4.address'], { encoding: 'utf8' }).replace(/\.\d+\/\d+\s*$/, '');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(workspace, 'id')]);
  double = await LabDouble.start(PROJECT);
  const { url, tokenId, tokenSecret, fingerprint } = await double.connect(workspace, 'dev');
  const secret = (
    await loadSecrets(workspace, { name: 'dev', secrets: { provider: 'file' } }, [tokenSecret.secret], { infra: 'infra', variables: {} })
  ).get(tokenSecret.secret);
  if (secret === undefined) throw new Error('the environment has no token');
  client = openProxmox({ url, tokenId, tokenSecret: secret, fingerprint });
});

afterAll(async () => {
  client?.close();
  await double?.remove();
  rmSync(workspace, { recursive: true, force: true });
});

const address = (last: number) => `${subnet}.${last}`;

async function create(vmid: number, more: Params): Promise<void> {
  const made = await client.post(['nodes', 'pve', 'lxc'], upid, {
    vmid,
    ostemplate: `local:vztmpl/${TEMPLATE}`,
    hostname: `guest-${vmid}`,
    rootfs: 'local-zfs:4',
    features: 'nesting=1',
    unprivileged: true,
    'ssh-public-keys': readFileSync(join(workspace, 'id.pub'), 'utf8'),
    start: true,
    ...more,
  });
  await waitForTask(client, made);
}

const static4 = (last: number) => `name=eth0,bridge=vmbr0,firewall=1,ip=${address(last)}/24,gw=${address(1)}`;

/** Logs in with the key that the guest was made with; its host key must be the one that is known, once one is. */
async function ssh(last: number, command: string): Promise<string> {
  const options = ['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=accept-new', 'ConnectTimeout=5'];
  const known = ['-o', `UserKnownHostsFile="${join(workspace, 'known')}"`, '-o', `HostKeyAlias=guest-${VMID}`];
  const argv = [
    '-F',
    '/dev/null',
    '-i',
    join(workspace, 'id'),
    ...options.flatMap((one) => ['-o', one]),
    ...known,
    `root@${address(last)}`,
    command,
  ];
  for (let attempt = 1; ; attempt++) {
    try {
      return (await run('ssh', argv)).stdout;
    } catch (error) {
      // sshd comes up a moment after the task is done.
      if (attempt === 20 || (error as { code?: number }).code !== 255) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

test('a guest that was created through the API is a machine: its name, its address, its MAC, SSH, systemd, apt', async () => {
  await create(VMID, { net0: static4(VMID), memory: 700, cores: 1 });
  expect(await ssh(VMID, 'hostname; nproc; ip -4 -o addr show eth0; ip route show default')).toMatch(
    new RegExp(`^guest-${VMID}\n1\n.*inet ${address(VMID)}/24 .*\ndefault via ${address(1)} `),
  );
  const mac = parseProperties(NET, (await readGuest(client, place))?.config.options.net0 ?? '').hwaddr;
  expect((await run('ip', ['neigh', 'show', address(VMID)])).stdout.toUpperCase()).toContain(mac);
  expect(await ssh(VMID, 'systemctl is-system-running --wait || true')).toMatch(/^(running|degraded)$/m);
  expect(await ssh(VMID, 'apt-get -qq update && apt-get -qq -s install ufw | grep -c ^Inst')).toMatch(/^[1-9]/);
});

test('its address is changed while it runs; it keeps its MAC and its host key', async () => {
  const before = parseProperties(NET, (await readGuest(client, place))?.config.options.net0 ?? '');
  await client.put([...folder, 'config'], z.null(), { net0: printProperties(NET, { ...before, ip: `${address(242)}/24` }) });
  expect(await ssh(242, 'cat /sys/class/net/eth0/address')).toBe(`${before.hwaddr?.toLowerCase()}\n`);
  const found = await gatherAddresses(client, await listGuests(client), await listNodes(client));
  expect(found.addresses.map((one) => one.address)).toEqual([address(242)]);
});

test('a stop and a start, and a restart of the double, lose nothing', async () => {
  await ssh(242, 'echo kept > /root/file');
  await waitForTask(client, await client.post([...folder, 'status', 'shutdown'], upid));
  await double.restart();
  expect((await readGuest(client, place))?.status.status).toBe('stopped');
  await waitForTask(client, await client.post([...folder, 'status', 'start'], upid));
  expect(await ssh(242, 'cat /root/file')).toBe('kept\n');
});

test('a guest that ends by itself is seen to be stopped', async () => {
  await double.backend.exec(VMID, ['poweroff']);
  await expect.poll(async () => (await listGuests(client))[0]?.status, { timeout: 30_000, interval: 500 }).toBe('stopped');
  await waitForTask(client, await client.post([...folder, 'status', 'start'], upid));
});

test('a second guest with the same address is made, as with the real one; and one that asks DHCP is seen live', async () => {
  await create(243, { net0: static4(242), start: false });
  await create(244, { net0: 'name=eth0,bridge=vmbr0,ip=dhcp' });
  await expect
    .poll(
      async () => {
        const { addresses } = await gatherAddresses(client, await listGuests(client), await listNodes(client));
        return addresses.map((one) => [one.guest.vmid, one.found, one.address.startsWith(`${subnet}.`)]);
      },
      { timeout: 30_000, interval: 500 },
    )
    .toEqual([
      [VMID, 'current', true],
      [243, 'current', true],
      [244, 'live', true],
    ]);
});

test('what it made is gone with it', async () => {
  await double.remove();
  const projects = JSON.parse((await run('incus', ['project', 'list', '--format', 'json'])).stdout) as { name: string }[];
  expect(projects.map(({ name }) => name)).not.toContain(PROJECT);
});
