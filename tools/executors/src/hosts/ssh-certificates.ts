import { access } from 'node:fs/promises';
import { runTool } from './process.ts';
import type { SshSettings } from './ssh-config.ts';

/**
 * The user's certificates that OpenSSH would have shown, in words. ssh2 takes none: it leaves out those of an agent, and writes the
 * certificate's algorithm into the signature, where sshd expects the key's (ssh2 1.17.0, `authPK`). Asked only once a login has failed.
 */
export async function certificatesOf(settings: SshSettings): Promise<string[]> {
  const files = [...settings.certificateFiles, ...settings.identityFiles.map((file) => `${file.replace(/\.pub$/, '')}-cert.pub`)];
  const there = await Promise.all(
    [...new Set(files)].map((file) =>
      access(file).then(
        () => [file],
        () => [],
      ),
    ),
  );
  // What cannot be asked must not hide why the login failed.
  return [...there.flat(), ...(await inAgent(settings).catch(() => []))];
}

async function inAgent({ agent, identitiesOnly }: SshSettings): Promise<string[]> {
  if (agent === undefined || identitiesOnly) return [];
  const { stdout } = await runTool(['ssh-add', '-L'], { variables: { SSH_AUTH_SOCK: agent } });
  const names = stdout.split('\n').filter((line) => /^\S+-cert-v\d+@openssh\.com /.test(line));
  return names.map((line) => `${line.split(' ').slice(2).join(' ') || 'one without a name'} in the agent`);
}
