import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { keygen } from '../contract/sshd.ts';
import { makeProject } from './make-workspace.ts';
import { run, STRICT, wholeAnswer } from './workspace.ts';

/** A guest as it comes from Proxmox: a container of the lab with sshd in it, root's key, and an address. */
export type Guest = {
  readonly name: string;
  readonly address: string;
  /** Opens it as the plugin does: over SSH, its host key checked; as root by sudo where the user is `admin`. */
  open(user?: 'admin', port?: number): Promise<OpenHost>;
  /** A shell command in it as root, beside SSH; its stdout. @throws when it fails */
  shell(command: string): Promise<string>;
  /** The public key of whoever may log in. */
  readonly publicKey: string;
  /** `ssh` as this user, with the same key; its stdout. */
  ssh(user: string, ...command: string[]): Promise<string>;
  /** Restarts it and waits until it is up. */
  restart(): Promise<void>;
  remove(): Promise<void>;
};

/** Waits until systemd has started everything and there is a way out. */
const UP = `up() { case $(systemctl is-system-running --wait 2>/dev/null) in running | degraded) ip -4 route get 1.1.1.1 >/dev/null 2>&1 ;; *) return 1 ;; esac }
for i in $(seq 100); do if up; then break; fi; sleep 0.2; done
up || { echo "not up: $(systemctl is-system-running 2>&1), $(ip -4 route 2>&1)" >&2; exit 1; }`;

const READY = `${UP}
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >/dev/null; apt-get -qq install -y --no-install-recommends openssh-server >/dev/null`;

/** Launches a guest in an Incus project of its own name, once whatever an earlier run left there is gone. */
export async function launchGuest(name: string): Promise<Guest> {
  await removeProject(name);
  await makeProject(name, 'veza-net0');
  const incus = (...args: string[]) => run('incus', ['--project', name, ...args]);
  await incus('launch', '-q', 'mooring-base', name, '-p', 'veza-data', '-p', 'veza-net');
  const shell = (command: string) => wholeAnswer(name, command, (script) => incus('exec', name, '-T', '--', ...STRICT, script));
  await shell(READY);
  const folder = await mkdtemp(join(tmpdir(), `mooring-${name}-`));
  keygen(join(folder, 'id'));
  const publicKey = (await readFile(join(folder, 'id.pub'), 'utf8')).trim();
  await shell(`install -d -m 0700 /root/.ssh; echo '${publicKey}' >/root/.ssh/authorized_keys`);
  const address = (await shell("ip -4 -o addr show dev eth0 | sed 's/.* inet \\([0-9.]*\\).*/\\1/'")).trim();
  if (!isIPv4(address)) throw new Error(`${name} has no address of its own, but ${JSON.stringify(address)}`);
  const hostKey = (await shell('cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub')).trim();
  await writeFile(join(folder, 'known_hosts'), `${address} ${hostKey}\n`);
  const config = join(folder, 'ssh_config');
  await writeFile(
    config,
    `Host admin.${name}
  User admin
Host ${name} admin.${name}
  HostName ${address}
  User root
  IdentityFile ${join(folder, 'id')}
  IdentitiesOnly yes
  StrictHostKeyChecking yes
  UserKnownHostsFile ${join(folder, 'known_hosts')}
`,
  );
  return {
    name,
    address,
    publicKey,
    shell,
    async open(user, port) {
      const host = user === undefined ? name : `${user}.${name}`;
      if (port === undefined) return openHost({ host, sshConfig: config, sudo: user !== undefined });
      const other = `${config}.${port}`;
      await writeFile(other, `Host ${host}\n  Port ${port}\n  HostKeyAlias ${address}\n${await readFile(config, 'utf8')}`);
      return openHost({ host, sshConfig: other, sudo: user !== undefined });
    },
    ssh: (user, ...command) => run('ssh', ['-F', config, '-l', user, '-o', 'BatchMode=yes', name, ...command]),
    async restart() {
      await incus('restart', name);
      await shell(`for i in $(seq 300); do systemctl is-active -q ssh && break; sleep 0.2; done\nsystemctl is-active -q ssh\n${UP}`);
    },
    async remove() {
      await removeProject(name);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** This machine's address on the lab's network, where guests reach it. */
export async function labAddress(): Promise<string> {
  return String((await run('incus', ['network', 'get', 'veza-net0', 'ipv4.address'])).trim().split('/')[0]);
}

async function removeProject(name: string): Promise<void> {
  const projects = JSON.parse(await run('incus', ['query', '/1.0/projects'])) as string[];
  if (!projects.includes(`/1.0/projects/${name}`)) return;
  const instances = JSON.parse(await run('incus', ['--project', name, 'list', '--format=json'])) as { name: string }[];
  if (instances.length > 0) await run('incus', ['--project', name, 'delete', '--force', ...instances.map((instance) => instance.name)]);
  for (const profile of ['veza-data', 'veza-net']) await run('incus', ['--project', name, 'profile', 'delete', profile]);
  await run('incus', ['project', 'delete', name]);
}
