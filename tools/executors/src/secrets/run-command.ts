import { spawn } from 'node:child_process';
import { minimalEnvironment } from '../hosts/process.ts';

/** Secrets of one environment are a few kilobytes. In bytes, of stdout and stderr each. */
const OUTPUT_LIMIT = 1024 * 1024;

/** How a program ended. */
export type Ended = {
  readonly how: 'exited' | 'not started' | 'too long' | 'too much' | 'interrupted' | 'killed';
  /** Exit code where it exited, else -1. */
  readonly code: number;
  /** The signal, or why it was not started. */
  readonly why: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Names of the variables that it was given. */
  readonly given: readonly string[];
};

export type RunOptions = {
  readonly cwd: string;
  /** Added to the minimal environment. */
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Runs a program of this machine that prints secrets, with nothing on its stdin. It gets a process group of its own, so that what
 * it has started is ended with it: a helper that holds on to stdout would hold us too.
 *
 * @returns how it ended; never rejects
 */
export function runForSecrets(argv: readonly [string, ...string[]], options: RunOptions): Promise<Ended> {
  const [program, ...rest] = argv;
  const { cwd, variables, timeoutMs, signal } = options;
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      cwd,
      env: { ...minimalEnvironment(), ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    const size = { stdout: 0, stderr: 0 };
    const finish = (how: Ended['how'], code: number, why: string) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', interrupt);
      child.stdout.destroy();
      child.stderr.destroy();
      const given = Object.keys(variables);
      resolve({ how, code, why, stdout: Buffer.concat(output.stdout), stderr: Buffer.concat(output.stderr), given });
    };
    const end = (how: Ended['how']) => {
      killGroup(child.pid);
      finish(how, -1, '');
    };
    const interrupt = () => end('interrupted');
    const timer = setTimeout(() => end('too long'), timeoutMs);
    signal?.addEventListener('abort', interrupt);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        size[stream] += chunk.length;
        if (size[stream] <= OUTPUT_LIMIT) output[stream].push(chunk);
        else end('too much');
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => finish('not started', -1, error.code ?? error.message));
    child.on('close', (code, killedBy) => (code === null ? finish('killed', -1, killedBy ?? '') : finish('exited', code, '')));
    if (signal?.aborted) interrupt();
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended by itself.
  }
}
