import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type Ended, nxEnvironment, type Workspace } from './workspace.ts';

/** An nx command that is still at work. */
export class RunningNx {
  readonly #child: ChildProcess;
  #output = '';
  /** How it ended; never rejects. `code` is 128 and more when a signal ended it. */
  readonly ended: Promise<Ended & { signal: NodeJS.Signals | null }>;

  constructor(workspace: Workspace, args: readonly string[], before: readonly string[] = []) {
    const [command, ...rest] = workspace.nxCommand(args, before);
    this.#child = spawn(command, rest, { cwd: workspace.root, env: nxEnvironment(), detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (part: string) => {
        this.#output += part;
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve({ code: code ?? 255, signal, output: this.#output }));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until it has printed this. @throws when it ends before, or after two minutes if nothing else is given */
  async says(pattern: RegExp, withinMs = 120_000): Promise<void> {
    const end = Date.now() + withinMs;
    while (!pattern.test(this.#output)) {
      if (this.over || Date.now() > end) throw new Error(`it has not said ${pattern}: ${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends a signal to nx alone. */
  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Sends a signal to nx and what it has started in the same process group, as a terminal does for Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** nx and all that it has started, as when the machine it runs on loses its power. */
  killAll(): void {
    for (const pid of [this.pid, ...descendants(this.pid)]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}

/** Starts the main job on the workspace's environment. */
export function startConfigure(workspace: Workspace, ...flags: readonly string[]): RunningNx {
  return new RunningNx(workspace, [
    'run-many',
    '-t',
    'configure',
    `--configuration=${workspace.environment}`,
    '--output-style=static',
    ...flags,
  ]);
}

/** Process ids of everything that a process has started, and what that has. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The name in parentheses may hold anything.
        return [{ pid: Number(name), parent: Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]) }];
      } catch {
        return [];
      }
    });
  const below = (of: number): number[] =>
    parents.filter(({ parent }) => parent === of).flatMap((child) => [child.pid, ...below(child.pid)]);
  return below(pid);
}
