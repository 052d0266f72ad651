import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LiveInterface } from '../double/state.ts';
import type { BackendGuest, Birth, GuestBackend } from './backend.ts';
import { interfaceFiles, nameFiles } from './network-files.ts';
import { incus, must, type Result, run } from './program.ts';

export type Lab = {
  /** Incus project of the guests; made if it is not there. */
  readonly project: string;
  readonly pool: string;
  /** Incus network that stands for every bridge of the node. */
  readonly network: string;
};

export const LAB: Lab = { project: 'mooring-pve', pool: 'lab', network: 'veza-net0' };

type Instance = { status: string; config: Record<string, string> };
type State = {
  network: Record<string, { hwaddr: string; addresses: { family: string; address: string; netmask: string; scope: string }[] }> | null;
};

/** Guests as Incus containers of the lab: real addresses, SSH, systemd, apt. All of it carries the lab's mark. */
export class IncusBackend implements GuestBackend {
  readonly #lab: Lab;

  constructor(lab: Lab = LAB) {
    this.#lab = lab;
  }

  /** Makes the project, if it is not there. */
  async prepare(): Promise<void> {
    const { project } = this.#lab;
    if (await this.#isPrepared()) return;
    const features = ['features.images=false', 'features.networks=false', 'features.profiles=true', 'features.storage.volumes=true'];
    await must(['project', 'create', project, ...['user.mooring.lab=true', ...features].flatMap((one) => ['-c', one])]);
  }

  /** Takes away every guest, and the project. */
  async remove(): Promise<void> {
    const { project } = this.#lab;
    if (!(await this.#isPrepared())) return;
    const names = (await must(['list', '--project', project, '-f', 'csv', '-c', 'n'])).split('\n').filter((name) => name !== '');
    for (const name of names) await this.#delete(name);
    await must(['project', 'delete', project]);
  }

  async #isPrepared(): Promise<boolean> {
    const { code, stderr } = await incus(['project', 'show', this.#lab.project]);
    if (code !== 0 && !/not found/i.test(stderr)) throw new Error(`incus project show ${this.#lab.project}: ${stderr.trim()}`);
    return code === 0;
  }

  async create(guest: BackendGuest, { template, sshKeys, password }: Birth): Promise<void> {
    await this.prepare();
    const name = nameOf(guest.vmid);
    await this.#delete(name);
    const image = imageOf(template);
    try {
      await this.#launch(image, name, await this.#definition(guest, true));
    } catch (error) {
      // Two guests with one address are no problem to Proxmox; Incus just keeps no lease for the second.
      if (!/already|in use/i.test(String(error))) throw error;
      await this.#delete(name);
      await this.#launch(image, name, await this.#definition(guest, false));
    }
    await this.#writeKeys(name, sshKeys);
    if (password !== undefined) await this.#put(name, '/root/.mooring-password', password, '0600');
  }

  async start(guest: BackendGuest): Promise<void> {
    const name = nameOf(guest.vmid);
    await this.#configure(guest);
    await this.#writeNames(guest);
    await must(['start', ...this.#at(name)]);
    // The password is given as pct does it: by chpasswd, from standard input.
    const given = await must([
      'exec',
      ...this.#at(name),
      '--',
      'sh',
      '-ec',
      'cd /root; if [ -e .mooring-password ]; then cat .mooring-password; fi',
    ]);
    if (given !== '') {
      await must(['exec', ...this.#at(name), '--', 'chpasswd'], `root:${given}\n`);
      await must(['exec', ...this.#at(name), '--', 'rm', '-f', '/root/.mooring-password']);
    }
  }

  async stop(vmid: number, how: 'hard' | 'gentle'): Promise<void> {
    if (!(await this.running(vmid))) return;
    await must(['stop', ...this.#at(nameOf(vmid)), ...(how === 'hard' ? ['--force'] : ['--timeout', '60'])]);
  }

  async update(guest: BackendGuest): Promise<void> {
    const name = nameOf(guest.vmid);
    await this.#configure(guest);
    await this.#writeNames(guest);
    await must(['exec', ...this.#at(name), '--', 'networkctl', 'reload']);
    for (const { name: device } of guest.interfaces) await must(['exec', ...this.#at(name), '--', 'networkctl', 'reconfigure', device]);
  }

  async destroy(vmid: number): Promise<void> {
    await this.#delete(nameOf(vmid));
  }

  /**
   * Until Incus has finished ending it, for only then can it be started. Of a guest that ends by itself Incus 6.0.4 says `Stopped` for a
   * moment, then `Running` again until it has cleaned up. The power it notes tells the two `Stopped` apart.
   */
  async running(vmid: number): Promise<boolean> {
    const found = await this.#ask<Instance>(vmid);
    return found !== undefined && (found.status !== 'Stopped' || found.config['volatile.last_state.power'] === 'RUNNING');
  }

  async interfaces(vmid: number): Promise<LiveInterface[]> {
    const state = await this.#ask<State>(vmid, '/state');
    return Object.entries(state?.network ?? {}).map(([name, { hwaddr, addresses }]) => {
      const of = (family: string) =>
        addresses.filter((one) => one.family === family && one.scope === 'global').map(({ address, netmask }) => `${address}/${netmask}`);
      const [inet, ...more] = of('inet');
      const [inet6, ...more6] = of('inet6');
      return {
        name,
        hwaddr,
        ...(inet === undefined ? {} : { inet }),
        ...(inet6 === undefined ? {} : { inet6 }),
        others: [...more, ...more6],
      };
    });
  }

  exec(vmid: number, argv: readonly string[], stdin?: string): Promise<Result> {
    return incus(['exec', ...this.#at(nameOf(vmid)), '--', ...argv], stdin);
  }

  /** What Incus says of a guest; nothing where it is not there. While it is ending it has no process whose state could be asked ("Invalid PID"). */
  async #ask<T>(vmid: number, what: '' | '/state' = ''): Promise<T | undefined> {
    const { code, stdout, stderr } = await incus(['query', `/1.0/instances/${nameOf(vmid)}${what}?project=${this.#lab.project}`]);
    if (code === 0) return JSON.parse(stdout) as T;
    if (/not found|Invalid PID/i.test(stderr)) return undefined;
    throw new Error(`incus: ${stderr.trim()}`);
  }

  /** What Incus is told of a guest. `lease`: nobody else gets its address by DHCP. */
  async #definition(guest: BackendGuest, lease: boolean): Promise<Definition> {
    const { pool, network } = this.#lab;
    const { config } = JSON.parse(await must(['query', `/1.0/networks/${network}`])) as { config: Record<string, string> };
    const nics = guest.interfaces.map(({ name, hwaddr, ip }) => {
      const reserved = lease && ip.includes('/') && sameNetwork(ip, config['ipv4.address'] ?? '');
      return [
        name,
        { type: 'nic', network, name, hwaddr: hwaddr.toLowerCase(), ...(reserved ? { 'ipv4.address': ip.split('/')[0] ?? '' } : {}) },
      ] as const;
    });
    return {
      config: {
        'user.mooring.lab': 'true',
        'user.mooring.pve': String(guest.vmid),
        'limits.memory': `${guest.memoryMiB}MiB`,
        'limits.cpu': guest.cores === undefined ? '' : String(guest.cores),
        'security.nesting': String(guest.nesting),
        'security.privileged': String(!guest.unprivileged),
      },
      devices: { root: { type: 'disk', path: '/', pool }, ...Object.fromEntries(nics) },
    };
  }

  #launch(image: string, name: string, definition: Definition): Promise<string> {
    return must(['create', image, ...this.#at(name), '--no-profiles'], JSON.stringify(definition));
  }

  /** Brings the container's limits and interfaces to what they are to be. */
  async #configure(guest: BackendGuest): Promise<void> {
    const path = `/1.0/instances/${nameOf(guest.vmid)}?project=${this.#lab.project}`;
    const was = JSON.parse(await must(['query', path])) as Definition & Record<string, unknown>;
    const kept = Object.values(was.devices).some((device) => device['ipv4.address'] !== undefined);
    const { config, devices } = await this.#definition(guest, kept);
    await must(['query', '-X', 'PUT', '--wait', '-d', JSON.stringify({ ...was, config: { ...was.config, ...config }, devices }), path]);
  }

  async #writeNames(guest: BackendGuest): Promise<void> {
    const name = nameOf(guest.vmid);
    for (const { path, content } of [...nameFiles(guest), ...interfaceFiles(guest)]) await this.#put(name, path, content, '0644');
  }

  /** Host keys of its own, and the keys that may log in, as `pct create` does it. */
  async #writeKeys(name: string, authorized: string): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-pve-keys-'));
    try {
      for (const type of ['ed25519', 'ecdsa']) {
        const file = join(folder, `ssh_host_${type}_key`);
        await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', `root@${name}`, '-f', file]);
        await this.#put(name, `/etc/ssh/ssh_host_${type}_key`, await readFile(file, 'utf8'), '0600');
        await this.#put(name, `/etc/ssh/ssh_host_${type}_key.pub`, await readFile(`${file}.pub`, 'utf8'), '0644');
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await must(['file', 'create', '--type', 'directory', '--mode', '0700', '--force', '--project', this.#lab.project, `${name}/root/.ssh`]);
    await this.#put(name, '/root/.ssh/authorized_keys', authorized.endsWith('\n') ? authorized : `${authorized}\n`, '0600');
  }

  async #put(name: string, path: string, content: string, mode: string): Promise<void> {
    const owner = ['--uid', '0', '--gid', '0', '--mode', mode, '--project', this.#lab.project];
    await must(['file', 'push', '-', `${name}${path}`, ...owner], content);
  }

  async #delete(name: string): Promise<void> {
    const { code, stderr } = await incus(['delete', '--force', ...this.#at(name)]);
    if (code !== 0 && !/not found/i.test(stderr)) throw new Error(`incus delete ${name}: ${stderr.trim()}`);
  }

  #at(name: string): string[] {
    return ['--project', this.#lab.project, name];
  }
}

type Definition = { config: Record<string, string>; devices: Record<string, Record<string, string>> };

const nameOf = (vmid: number) => `pve-${vmid}`;

/** The lab's image of a Proxmox template. */
function imageOf(template: string): string {
  const [, release] = /vztmpl\/debian-(\d+)-/.exec(template) ?? [];
  if (release === undefined) throw new Error(`the lab has no image for ${template}: it has those of Debian`);
  return `mooring-guest/${release}`;
}

/** Whether an address is in the network of a bridge's own address, both with their length. */
function sameNetwork(ip: string, bridge: string): boolean {
  const bits = Number(bridge.split('/')[1]);
  const value = (text: string) => (text.split('/')[0] ?? '').split('.').reduce((all, part) => all * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  return bridge !== '' && Math.trunc(value(ip) / size) === Math.trunc(value(bridge) / size);
}
