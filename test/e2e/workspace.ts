import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROFILES = ['veza-data', 'veza-net'];
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

/** What a test's workspace differs in from the project's own. */
export type WorkspaceOptions = {
  /** Name of its one environment; also the prefix of its containers and its Incus project. Unique in the suite. */
  readonly environment: string;
  /** Container projects taken over from infra/; all four when left out. */
  readonly containers?: readonly string[];
  /** Fields of the environment file. */
  readonly over?: Record<string, unknown>;
  /** Secrets by name; each has a value of its own when left out. */
  readonly secrets?: Record<string, string>;
};

/** The secrets that the project's containers refer to. */
export const SECRETS = [
  'POSTGRES_PASSWORD',
  'REDIS_PASSWORD',
  'RABBITMQ_PASSWORD',
  'RABBITMQ_ERLANG_COOKIE',
  'MINIO_ROOT_USER',
  'MINIO_ROOT_PASSWORD',
  'MINIO_ACCESS_KEY',
  'MINIO_SECRET_KEY',
];

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

/** Makes a workspace with one clean commit, and its Incus project with the profiles that it names. */
export async function makeWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const workspace = await makeFolder(options);
  await workspace.removeFromHost();
  await makeProject(options.environment, (await localEnvironment()).network);
  return workspace;
}

/** The folder of a workspace, with one clean commit. Asks no host. */
export async function makeFolder(options: WorkspaceOptions, place?: Place): Promise<Workspace> {
  const { environment, containers = ['postgres', 'redis', 'rabbitmq', 'minio'] } = options;
  const root = await mkdtemp(join(tmpdir(), `mooring-${environment}-`));
  const workspace = new Workspace(root, environment, place);
  await mkdir(join(root, 'infra/environments'), { recursive: true });
  await mkdir(join(root, '.secrets'), { mode: 0o700 });
  for (const file of ['nx.json', '.env', '.gitignore']) await cp(join(REPOSITORY, file), join(root, file));
  await writeFile(join(root, 'package.json'), `${JSON.stringify({ name: environment, private: true })}\n`);
  for (const folder of ['zfs', ...containers])
    await cp(join(REPOSITORY, 'infra', folder), join(root, 'infra', folder), { recursive: true });
  const local = await localEnvironment();
  const own = Object.fromEntries(Object.entries(local.containers ?? {}).filter(([name]) => containers.includes(name)));
  const content = {
    ...local,
    prefix: `${environment}-`,
    incus: { ...local.incus, project: workspace.place.project },
    containers: own,
    ...options.over,
  };
  await writeFile(join(root, workspace.environmentFile), `${JSON.stringify(content, null, 2)}\n`);
  await workspace.secrets(
    options.secrets ?? Object.fromEntries(SECRETS.map((name) => [name, `${name.toLowerCase().replaceAll('_', '-')}-of-${environment}`])),
  );
  await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  // The binaries are built once for all: the store is content-addressed.
  await mkdir(join(REPOSITORY, '.mooring'), { recursive: true });
  await symlink(join(REPOSITORY, '.mooring'), join(root, '.mooring'));
  await git(root, 'init', '-q', '-b', 'main');
  await workspace.commit('first');
  return workspace;
}

async function localEnvironment() {
  return JSON.parse(await readFile(join(REPOSITORY, 'infra/environments/local.json'), 'utf8'));
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

/** An Incus project with the profiles that containers of the lab are launched with. */
export async function makeProject(name: string, network: string): Promise<void> {
  await run('incus', [
    'project',
    'create',
    name,
    '-c',
    'features.images=false',
    '-c',
    'features.profiles=true',
    '-c',
    'features.storage.volumes=true',
    '-c',
    'user.mooring.lab=true',
  ]);
  for (const profile of PROFILES) await run('incus', ['profile', 'create', profile, '--project', name]);
  await run('incus', ['profile', 'device', 'add', 'veza-data', 'root', 'disk', 'path=/', 'pool=lab', '--project', name]);
  await run('incus', ['profile', 'device', 'add', 'veza-net', 'eth0', 'nic', 'name=eth0', `network=${network}`, '--project', name]);
}

/** Runs git in a folder, as a user without settings. @returns its stdout @throws when it fails */
export function git(root: string, ...args: string[]): Promise<string> {
  return run('git', ['-C', root, '-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args]);
}
