import { randomBytes } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** How a guest is reached. */
export type GuestSsh = {
  readonly environment: string;
  readonly address: string;
  readonly user: string;
  /** The file of host keys, absolute. */
  readonly knownHosts: string;
  /** Absolute path of the configuration with keys and jumps; the user's own when left out. */
  readonly userConfig?: string | undefined;
};

/**
 * Writes the SSH configuration of one guest: its user and the workspace's own file of host keys first, then whatever the
 * user's configuration says of its address (keys, jumps). OpenSSH takes the first value that it finds.
 *
 * @returns its absolute path
 */
export async function writeSshConfig(root: string, guest: GuestSsh): Promise<string> {
  const file = join(root, '.nx', 'mooring', 'ssh', `${guest.environment}-${guest.address}`);
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(fresh, sshConfig(guest), { mode: 0o600 });
  await rename(fresh, file);
  return file;
}

/** The text of that file. Pure but for the user's home. */
function sshConfig({ address, user, knownHosts, userConfig = join(homedir(), '.ssh', 'config') }: GuestSsh): string {
  return [
    `Host ${address}`,
    `  User ${user}`,
    `  UserKnownHostsFile ${word(knownHosts)}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    'Host *',
    `  Include ${word(userConfig)}`,
    '',
  ].join('\n');
}

function word(path: string): string {
  return `"${path.replaceAll('"', '\\"')}"`;
}
