import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keygen } from '../contract/sshd.ts';
import { IncusBackend, LAB } from '../proxmox/backend/incus.ts';
import { certificate } from '../proxmox/double/certificate.ts';
import { type Double, serve } from '../proxmox/double/server.ts';
import { freshState, MINIMAL_ACL, type State, Store, TEMPLATE, token } from '../proxmox/double/state.ts';
import { labAddress } from './app-guest.ts';
import { type GitRepository, type GitServer, startGitServer } from './git-server.ts';
import { type ServedNode, serveNode } from './node-archive.ts';
import { serveWheels, type Wheels } from './wheels.ts';
import { REPOSITORY, run, STRICT, Workspace, wholeAnswer } from './workspace.ts';

const TOKEN_ID = 'mooring@pve!test';
const TOKEN_SECRET = '11111111-2222-3333-4444-555555555555';

/** An application of a test, in the environments of its guests. */
export type AppOfTest = {
  readonly app: 'notes' | 'pote';
  /** The last number of each guest's address, by environment; its vmid is 1000 more. */
  readonly guests: Readonly<Record<string, number>>;
  /** Fields of app.json. */
  readonly over?: Record<string, unknown>;
};

/** A workspace with applications, a Proxmox whose guests are containers of the lab, and a git server. */
export type AppsLab = {
  readonly workspace: Workspace;
  readonly state: State;
  readonly backend: IncusBackend;
  repository(app: AppOfTest['app']): GitRepository;
  /** The address of a guest by the last of its numbers. */
  address(last: number): string;
  /** A command as root in a guest, beside SSH; its stdout. @throws when it fails */
  shell(last: number, command: string): Promise<string>;
  /** A file of the workspace. */
  read(file: string): Promise<string>;
  /** A machine with this address that Proxmox knows nothing of, and that answers no ping. */
  stranger(last: number): Promise<void>;
  remove(): Promise<void>;
};

/**
 * @param name of its first environment, and of all that it makes; unique in the suite
 * @param environments its environments, each with the same Proxmox
 */
export async function makeAppsLab(name: string, apps: readonly AppOfTest[], environments: readonly string[] = [name]): Promise<AppsLab> {
  const backend = new IncusBackend({ ...LAB, project: `apps-${name}` });
  await backend.remove();
  // Two guests that are made at once would both make it.
  await backend.prepare();
  const host = await labAddress();
  const address = (last: number) => host.replace(/\d+$/, String(last));
  const root = await mkdtemp(join(tmpdir(), `mooring-${name}-`));
  const made = certificate(join(root, '.lab', 'certificate'));
  const store = new Store(undefined, { ...freshState(), tokens: { [TOKEN_ID]: token(TOKEN_SECRET, MINIMAL_ACL) } });
  const double: Double = await serve({ store, backend, certificate: made, authDelayMs: 10 });
  const git: GitServer = await startGitServer(host);
  const python = apps.some(({ app }) => app === 'pote');
  const wheels: Wheels | undefined = python
    ? await serveWheels(join(REPOSITORY, 'infra/apps/pote/sample/requirements.txt'), host)
    : undefined;
  const node: ServedNode | undefined = apps.some(({ app }) => app === 'notes') ? await serveNode() : undefined;
  const workspace = new Workspace(root, name);
  const repositories: Record<string, GitRepository> = {};
  await layFolder(root, name);
  for (const one of apps) {
    const repository = await git.repository(one.app);
    repositories[one.app] = repository;
    await writeApp(root, one, { repository: repository.url, git, wheels, node, address, gateway: host });
  }
  const proxmox = proxmoxOf(double.port, made.fingerprint);
  for (const environment of environments) await writeEnvironment(root, environment, proxmox, git.deployKey);
  await run('git', ['init', '-q', '-b', 'main', root]);
  await workspace.commit('first');
  const shell: AppsLab['shell'] = (last, command) =>
    wholeAnswer(`guest ${1000 + last}`, command, async (script) => {
      const { code, stdout, stderr } = await backend.exec(1000 + last, [...STRICT, script]);
      if (code !== 0) throw new Error(`${command}: exit code ${code}: ${stderr}${stdout}`);
      return stdout;
    });
  return {
    workspace,
    state: store.state,
    backend,
    repository: (app) => repositories[app] ?? fail(app),
    address,
    read: (file) => readFile(join(root, file), 'utf8'),
    async stranger(last) {
      await startStranger(backend, 1000 + last, `${address(last)}/24`, host);
      await shell(last, SILENT);
    },
    shell,
    async remove() {
      await double.close();
      await git.stop();
      await wheels?.stop();
      await node?.stop();
      await backend.remove();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The folder of a workspace without its projects and environments, with the key that its guests are opened with. */
async function layFolder(root: string, name: string): Promise<void> {
  for (const folder of ['infra/environments', '.secrets', '.nx']) await mkdir(join(root, folder), { recursive: true, mode: 0o700 });
  for (const file of ['nx.json', '.env', '.gitignore']) await cp(join(REPOSITORY, file), join(root, file));
  await writeFile(join(root, 'package.json'), `${JSON.stringify({ name, private: true })}\n`);
  await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  keygen(join(root, '.lab', 'id'));
  await writeFile(
    join(root, '.lab', 'ssh_config'),
    `Host *\n  IdentityFile "${join(root, '.lab', 'id')}"\n  IdentitiesOnly yes\n  IdentityAgent none\n`,
  );
}

/** What an application of a test is served from, and where its guests are. */
type Served = {
  readonly repository: string;
  readonly git: GitServer;
  readonly wheels: Wheels | undefined;
  readonly node: ServedNode | undefined;
  address(last: number): string;
  readonly gateway: string;
};

/** The file of an application: this project's own, with the places of the test. */
async function writeApp(root: string, { app, guests, over }: AppOfTest, served: Served): Promise<void> {
  await mkdir(join(root, 'infra/apps', app), { recursive: true });
  const file = JSON.parse(await readFile(join(REPOSITORY, 'infra/apps', app, 'app.json'), 'utf8')) as Record<string, unknown>;
  const own = Object.entries(guests).map(([environment, last]) => [
    environment,
    {
      name: `${app}-${environment}`,
      vmid: 1000 + last,
      ip: `${served.address(last)}/24`,
      gateway: served.gateway,
      branch: 'main',
      envVars: {},
    },
  ]);
  const content = {
    ...file,
    repository: served.repository,
    gitHostKeys: [served.git.hostKey],
    ...(app === 'pote' ? { buildVars: served.wheels?.variables } : { node: { ...(file.node as object), ...served.node?.settings } }),
    ...over,
    environments: Object.fromEntries(own),
  };
  await write(root, `infra/apps/${app}/app.json`, content);
}

/** The Proxmox of an environment: the double. */
const proxmoxOf = (port: number, fingerprint: string) => ({
  url: `https://127.0.0.1:${port}`,
  tokenId: TOKEN_ID,
  tokenSecret: { secret: 'PROXMOX_TOKEN_SECRET' },
  fingerprint,
  template: `local:vztmpl/${TEMPLATE}`,
  authorizedKeys: ['.lab/id.pub'],
  probe: 'local',
});

/** The file of an environment, and its secrets. */
async function writeEnvironment(root: string, environment: string, proxmox: object, deployKey: string): Promise<void> {
  await write(root, `infra/environments/${environment}.json`, { sshConfig: '.lab/ssh_config', proxmox });
  await new Workspace(root, environment).secrets({
    PROXMOX_TOKEN_SECRET: TOKEN_SECRET,
    GIT_DEPLOY_KEY: deployKey,
    POTE_DATABASE_PASSWORD: `pote-of-${environment}`,
  });
}

/** A machine on the guests' network that Proxmox knows nothing of. */
async function startStranger(backend: IncusBackend, vmid: number, ip: string, gw: string): Promise<void> {
  const nic = { name: 'eth0', bridge: 'vmbr0', hwaddr: 'BC:24:11:66:66:66', ip, gw };
  const guest = {
    vmid,
    hostname: 'stranger',
    interfaces: [nic],
    nameservers: [],
    memoryMiB: 256,
    nesting: true,
    unprivileged: true,
  };
  await backend.create(guest, { template: `local:vztmpl/${TEMPLATE}`, sshKeys: '' });
  await backend.start(guest);
}

/** Answers no ping from now on, and has its address when this ends. */
const SILENT = `sysctl -w net.ipv4.icmp_echo_ignore_all=1
tries=50
until [ -n "$(ip -4 -o addr show dev eth0)" ]; do
  tries=$((tries - 1)); [ "$tries" -gt 0 ] || { echo 'no address after 10 s' >&2; exit 1; }
  sleep 0.2
done`;

function fail(app: string): never {
  throw new Error(`the lab has no ${app}`);
}

async function write(root: string, file: string, content: unknown): Promise<void> {
  await writeFile(join(root, file), `${JSON.stringify(content, null, 2)}\n`);
}
