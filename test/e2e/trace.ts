import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { run } from './workspace.ts';

/** Options of strace that make it write every `execve` with all its arguments and the whole environment, uncut. */
const STRACE = ['-f', '-qq', '-v', '-s', '65535', '-e', 'trace=execve,execveat', '-e', 'signal=none'] as const;

/** In front of a command: traces it and everything that it starts. */
export function traced(file: string): string[] {
  return ['strace', ...STRACE, '--seccomp-bpf', '-o', file, '--'];
}

/**
 * Traces what running processes start from now on: incusd (and with it every `incus exec`) and the first process of each
 * container (and with it every unit that is started there).
 */
export async function traceHost(
  file: string,
  pids: readonly number[],
  options: readonly string[] = STRACE,
): Promise<{ stop(): Promise<void> }> {
  const child: ChildProcess = spawn('strace', [...options, '-o', file, ...pids.flatMap((pid) => ['-p', String(pid)])], { stdio: 'ignore' });
  for (;;) {
    const attached = await Promise.all(pids.map(async (pid) => /^TracerPid:\t[1-9]/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))));
    if (attached.every(Boolean)) break;
    if (child.exitCode !== null) throw new Error(`strace ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`strace ended before it was told to (${child.exitCode ?? child.signalCode}): not everything was traced`);
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** Process ids to give to {@link traceHost}: incusd, and the first process of each instance of an Incus project. */
export async function hostPids(project: string): Promise<number[]> {
  const server = JSON.parse(await run('incus', ['query', '/1.0'])) as { environment: { server_pid: number } };
  return [server.environment.server_pid, ...(await instancePids(project))];
}

/** The first process of each instance of an Incus project, by the host's ids. */
export async function instancePids(project: string): Promise<number[]> {
  const instances = JSON.parse(await run('incus', ['query', `/1.0/instances?recursion=2&project=${project}`])) as {
    state: { pid: number };
  }[];
  return instances.map(({ state }) => state.pid);
}

/** How a secret may look where it should not be: raw, URL-encoded, and in base64 at each of the three alignments. */
function appearances(secret: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    // Characters at the ends mix with what stands beside the secret; what is between is the same in any neighbourhood.
    const encoded = Buffer.from('\0'.repeat(offset) + secret).toString('base64');
    return encoded.slice(offset === 0 ? 0 : offset + 1, -4);
  });
  return [secret, encodeURIComponent(secret), ...base64];
}

/** Which of the secrets a text holds, by name, in any of their {@link appearances}. */
export function foundIn(text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, value]) => (appearances(value).some((form) => text.includes(form)) ? [name] : []));
}
