import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '../..');

/**
 * In front of a shell script that looks at something or prepares it: a command that fails in it, also in the middle of a pipeline, ends it.
 * What stands in `$(…)` as a word, and not in an assignment, is the exception: its failure is not seen.
 */
export const STRICT = ['bash', '-euo', 'pipefail', '-c'] as const;

/** Ends what a command in a container prints. */
const WHOLE = '(end-of-the-answer)';

/**
 * A shell command in an instance; its stdout. Where Incus has lost all that it printed, it is run again: once in some hundred calls, on a busy
 * machine, `incus exec` ends well and hands on nothing.
 *
 * @param exec runs a script there; rejects when it fails
 * @throws when there is no whole answer
 */
export async function wholeAnswer(instance: string, command: string, exec: (script: string) => Promise<string>): Promise<string> {
  for (let tries = 3; ; tries--) {
    const output = await exec(`${command}\nprintf %s '${WHOLE}'`);
    if (output.endsWith(WHOLE)) return output.slice(0, -WHOLE.length);
    if (output !== '' || tries === 1) throw new Error(`${instance}: incus exec ended well and gave no whole answer: ${output}`);
  }
}

/** How a command ended: exit code and everything it printed. */
export type Ended = { readonly code: number; readonly output: string };

/** Where a workspace's Incus is. */
export type Place = {
  /** Incus project of the workspace's containers. */
  readonly project: string;
  /** Runs a program there that must succeed, with nothing on its stdin. @returns its stdout @throws with what it printed */
  run(command: string, args: readonly string[]): Promise<string>;
};

/**
 * A workspace of a user, in a folder of its own with its own git history and its own Incus project on the lab. Its nx and
 * nx-mooring are the ones of this repository.
 */
export class Workspace {
  readonly root: string;
  readonly environment: string;
  /** This machine and a project named like the environment, when left out. */
  readonly place: Place;

  constructor(root: string, environment: string, place: Place = { project: environment, run }) {
    this.root = root;
    this.environment = environment;
    this.place = place;
  }

  /** Runs nx as a user in CI would. Never rejects: the exit code is part of the answer. */
  nx(args: readonly string[], options: { env?: Record<string, string>; before?: readonly string[] } = {}): Promise<Ended> {
    const [command, ...rest] = this.nxCommand(args, options.before);
    return ended(command, rest, this.root, { ...nxEnvironment(), ...options.env });
  }

  /** The command line of an nx command, behind one that runs it (`unshare`, `strace`). */
  nxCommand(args: readonly string[], before: readonly string[] = []): [string, ...string[]] {
    const [command = '', ...rest] = [
      ...before,
      join(REPOSITORY, 'node_modules/.bin/node'),
      join(REPOSITORY, 'node_modules/nx/dist/bin/nx.js'),
      ...args,
    ];
    return [command, ...rest];
  }

  /** The main job on this workspace's environment. */
  configure(...flags: readonly string[]): Promise<Ended> {
    return this.nx(['run-many', '-t', 'configure', `--configuration=${this.environment}`, '--output-style=static', ...flags]);
  }

  /** One target of one project on this workspace's environment. */
  run(project: string, target: string, ...flags: readonly string[]): Promise<Ended> {
    return this.nx(['run', `${project}:${target}`, '-c', this.environment, '--output-style=static', ...flags]);
  }

  /** Instance name of a container project. */
  instance(project: string): string {
    return `${this.environment}-${project}`;
  }

  /** Runs incus in this workspace's Incus project and gives its stdout. @throws when it fails */
  async incus(...args: readonly string[]): Promise<string> {
    return this.place.run('incus', ['--project', this.place.project, ...args]);
  }

  /** What Incus's API says at a path below `/1.0/`, in this workspace's Incus project. */
  async api<T>(path: string, query = ''): Promise<T> {
    return JSON.parse(await this.place.run('incus', ['query', `/1.0/${path}?project=${this.place.project}${query}`])) as T;
  }

  /** A shell command in a container; its stdout. @throws when it fails, or gave no whole answer */
  guest(project: string, command: string): Promise<string> {
    const instance = this.instance(project);
    return wholeAnswer(instance, command, (script) => this.incus('exec', instance, '-T', '--', ...STRICT, script));
  }

  /** Changes a JSON file of the workspace. */
  async edit(file: string, change: (content: Record<string, unknown>) => void): Promise<void> {
    const path = join(this.root, file);
    const content = JSON.parse(await readFile(path, 'utf8'));
    change(content);
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
  }

  /** Path of the environment's file. */
  get environmentFile(): string {
    return `infra/environments/${this.environment}.json`;
  }

  /** Writes the environment's secrets. */
  async secrets(values: Record<string, string>): Promise<void> {
    const lines = Object.entries(values).map(
      ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"\n`,
    );
    await writeFile(join(this.root, '.secrets', `${this.environment}.env`), lines.join(''), { mode: 0o600 });
  }

  /** Commits everything. @returns the new HEAD */
  async commit(message: string): Promise<string> {
    await git(this.root, 'add', '-A');
    await git(this.root, 'commit', '-q', '--allow-empty', '-m', message);
    return (await git(this.root, 'rev-parse', 'HEAD')).trim();
  }

  /** Takes away what the workspace made: its containers, its Incus project, its state on the host, its folder. */
  async remove(): Promise<void> {
    await this.removeFromHost();
    await rm(this.root, { recursive: true, force: true });
  }

  /** Takes away what is on the host, also what an earlier run that was ended in the middle has left. */
  async removeFromHost(): Promise<void> {
    const projects = JSON.parse(await run('incus', ['query', '/1.0/projects'])) as string[];
    if (!projects.includes(`/1.0/projects/${this.environment}`)) return;
    const names = (await this.incus('list', '--format=csv', '--columns=n')).split('\n').filter(Boolean);
    for (const name of names) await this.incus('config', 'set', name, 'security.protection.delete=false');
    if (names.length > 0) await this.incus('delete', '--force', ...names);
    // Snapshots are listed too, as `<volume>/<snapshot>`; they go with their volume.
    for (const { name } of await this.api<{ name: string }[]>('storage-pools/lab/volumes/custom', '&recursion=1'))
      if (!name.includes('/')) await this.incus('storage', 'volume', 'delete', 'lab', name);
    const profiles = JSON.parse(await this.incus('profile', 'list', '--format=json')) as { name: string }[];
    for (const { name } of profiles) if (name !== 'default') await this.incus('profile', 'delete', name);
    await run('incus', ['project', 'delete', this.environment]);
    await rm(join('/var/lib/mooring', this.environment), { recursive: true, force: true });
  }
}

/** Runs a program to its end. Never rejects. */
export function ended(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (output += part));
    child.on('error', (error) => resolve({ code: 127, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 255, output }));
  });
}

/** Runs a program with nothing on its stdin (incus would wait for it). @returns its outputs apart @throws when it cannot be started */
export function answered(command: string, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 255, stdout, stderr }));
  });
}

/** Runs a program that must succeed. @returns its stdout @throws with what it printed */
export async function run(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await answered(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}: ${stderr}${stdout}`);
  return stdout;
}

/**
 * As in CI: no daemon, no cloud, no drawing on the terminal. The cache is the workspace's own: nx's is in the home folder, for all clones.
 * That of Node for compiled code, a quarter of the time in which nx starts, is common to all.
 */
export function nxEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = process.env;
  return {
    ...(LANG === undefined ? {} : { LANG }),
    PATH: `${join(REPOSITORY, 'node_modules/.bin')}:${PATH}`,
    HOME,
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
    NX_TUI: 'false',
    NX_CACHE_DIRECTORY: '.nx/cache',
    NODE_COMPILE_CACHE: join(REPOSITORY, '.nx/compile-cache'),
    CI: 'true',
  };
}

/** Runs git in a folder, as a user without settings. @returns its stdout @throws when it fails */
export function git(root: string, ...args: string[]): Promise<string> {
  return run('git', ['-C', root, '-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args]);
}
