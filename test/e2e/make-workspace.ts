import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, type Place, REPOSITORY, run, Workspace } from './workspace.ts';

const PROFILES = ['veza-data', 'veza-net'];

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
