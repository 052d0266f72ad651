import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { run } from './workspace.ts';

/** Whole arguments and environments, of every process that comes from the traced ones. */
const STRACE = ['-f', '-qq', '-s', '65535', '-v', '-e', 'trace=execve,execveat', '-e', 'signal=none'] as const;

/** In front of a command: writes down every program that it and its descendants start. Only a start stops them, so it costs little. */
export function traced(file: string): string[] {
  return ['strace', ...STRACE, '--seccomp-bpf', '-o', file];
}

/** Writes down every program that Incus starts, and so everything in containers that are started or entered meanwhile. */
export class IncusTrace {
  readonly #strace: ChildProcess;

  private constructor(strace: ChildProcess) {
    this.#strace = strace;
  }

  /** @throws when strace cannot attach itself */
  static async start(file: string): Promise<IncusTrace> {
    const { environment } = JSON.parse(await run('incus', ['query', '/1.0'])) as { environment: { server_pid: number } };
    const pid = environment.server_pid;
    const strace = spawn('strace', [...STRACE, '-o', file, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    strace.stderr?.setEncoding('utf8').on('data', (part: string) => {
      said += part;
    });
    const end = Date.now() + 30_000;
    while (!threads(pid).every((tracer) => tracer === strace.pid)) {
      if (strace.exitCode !== null || Date.now() > end) throw new Error(`strace is not attached to incusd (${pid}): ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return new IncusTrace(strace);
  }

  /** Detaches; what runs goes on. */
  async stop(): Promise<void> {
    const ended = once(this.#strace, 'exit');
    this.#strace.kill('SIGINT');
    await ended;
  }
}

/** The tracer of each thread of a process; 0 for none. */
function threads(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return [Number(/^TracerPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))?.[1])];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

/** What strace has written, with its escapes taken back. @throws when it has cut something off */
export function readTrace(file: string): string {
  const text = readFileSync(file, 'latin1');
  const cut = /.{0,200}("\.\.\.|, \.\.\.\]).{0,80}/.exec(text);
  if (cut !== null) throw new Error(`strace has left something out: ${cut[0]}`);
  const letters: Record<string, string> = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f' };
  const bytes = text.replace(/\\([0-7]{1,3}|[\s\S])/g, (_, what: string) =>
    /^[0-7]/.test(what) ? String.fromCharCode(Number.parseInt(what, 8)) : (letters[what] ?? what),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
