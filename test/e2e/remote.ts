import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { startSshd, type TestSshd } from '../contract/sshd.ts';
import { makeWorkspace, type WorkspaceOptions } from './make-workspace.ts';
import { REPOSITORY, type Workspace } from './workspace.ts';

/** In front of an nx command: no network but the one that is handed in as a socket's path, and no Incus. */
export const CUT_OFF = [
  'unshare',
  '--mount',
  '--net',
  'sh',
  '-euc',
  'mount --bind /dev/null /var/lib/incus/unix.socket; exec "$@"',
  'sh',
] as const;

/** The environment's host, reached over SSH: an sshd of the test's own on this machine. */
export type Remote = {
  readonly workspace: Workspace;
  readonly sshd: TestSshd;
  /** How many connections were made so far. */
  connections(): number;
  remove(): Promise<void>;
};

/**
 * A workspace whose host is reached over SSH, through a Unix socket (OpenSSH's ProxyCommand): so that nx can be run where
 * there is no other way out, see {@link CUT_OFF}.
 *
 * @param settings more lines for the sshd's configuration
 */
export async function makeRemote(options: WorkspaceOptions, ...settings: readonly string[]): Promise<Remote> {
  const sshd = await startSshd('MaxSessions 100', 'MaxStartups 100', ...settings);
  const socket = join(sshd.folder, 'way.sock');
  let connections = 0;
  const way = createServer((near) => {
    connections++;
    const far = connect(sshd.port, '127.0.0.1');
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  await new Promise<void>((resolve) => way.listen(socket, resolve));
  const pipe = join(sshd.folder, 'pipe.mjs');
  await writeFile(
    pipe,
    "import { connect } from 'node:net';\nconst way = connect(process.argv[2]);\nprocess.stdin.pipe(way).pipe(process.stdout);\n",
  );
  const workspace = await makeWorkspace({ ...options, over: { host: 'far', sshConfig: '.lab/ssh_config', ...options.over } });
  await mkdir(join(workspace.root, '.lab'));
  const common = [
    'HostName 127.0.0.1',
    `Port ${sshd.port}`,
    'User root',
    `IdentityFile "${join(sshd.folder, 'id')}"`,
    'IdentitiesOnly yes',
    `UserKnownHostsFile "${sshd.knownHosts}"`,
    'GlobalKnownHostsFile /dev/null',
  ];
  const proxy = `ProxyCommand '${join(REPOSITORY, 'node_modules/.bin/node')}' '${pipe}' '${socket}'`;
  const config = ['Host far', proxy, ...common].join('\n  ');
  await writeFile(join(workspace.root, '.lab/ssh_config'), `${config}\nHost near\n  ${common.join('\n  ')}\n`);
  return {
    workspace,
    sshd,
    connections: () => connections,
    async remove() {
      await workspace.remove();
      way.close();
      await sshd.stop();
    },
  };
}
