// biome-ignore-all lint/style/noExcessiveLinesPerFile: its tests share one guest, and a second file would make another
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isEnvironmentValue, renderEnvironmentFile } from '../../tools/executors/src/apps/environment-file.ts';
import { write, writeFile } from '../../tools/executors/src/engine/command.ts';
import { Secret } from '../../tools/executors/src/engine/secret.ts';
import type { OpenHost } from '../../tools/executors/src/engine/transport.ts';
import { configureGuest, deployToGuest, rollBackGuest, verifyGuest } from '../../tools/executors/src/shared/app/guest.ts';
import { hostileTexts } from '../hostile-texts.ts';
import { type Guest, labAddress, launchGuest } from './app-guest.ts';
import { failure, runOn, settingsOf } from './app-run.ts';
import { type GitRepository, type GitServer, startGitServer } from './git-server.ts';
import { makeNodeArchive } from './node-archive.ts';

// A Node application with a back end and a front end, in a guest of its own, over SSH.

let guest: Guest;
let git: GitServer;
let repository: GitRepository;
let host: OpenHost;
let base: Record<string, unknown>;

/** Written by the job: the arguments that it was given. */
const JOB = 'require("fs").writeFileSync(process.env.APP_SHARED + "/arguments", JSON.stringify(process.argv.slice(1)))';
const oneLine = hostileTexts.filter((text) => !/\p{Cc}/u.test(text));
const hostile = Object.fromEntries(hostileTexts.map((text, i) => [`HOSTILE_${i}`, i % 2 ? new Secret(text) : text]));

beforeAll(async () => {
  const address = await labAddress();
  [guest, git] = await Promise.all([launchGuest('e2e-guest-node'), startGitServer(address)]);
  repository = await git.repository('notes');
  host = await guest.open();
  base = {
    name: 'notes',
    kind: 'node',
    environment: 'dev',
    branch: 'main',
    repository: repository.url,
    deployKey: new Secret(git.deployKey),
    gitHostKeys: [git.hostKey],
    authorizedKeys: [guest.publicKey],
    node: { backend: { start: ['node', 'server.js'] }, frontend: { start: ['node', 'server.js'] }, migrate: ['node', 'migrate.js'] },
    health: { timeoutSeconds: 15 },
    envVars: hostile,
    jobs: [{ name: 'arguments', schedule: '*-*-* 03:00:00', command: ['node', '-e', JOB, '--', ...oneLine] }],
  };
}, 300_000);
afterAll(async () => {
  await host?.close();
  await git?.stop();
  await guest?.remove();
});

const run = (over: Record<string, unknown> = {}, told: string[] = []) => runOn(guest, host, settingsOf({ ...base, ...over }), told);
const fromOutside = async (port: number, path: string) => {
  const answer = await fetch(`http://${guest.address}:${port}${path}`);
  return { status: answer.status, text: await answer.text() };
};
const releases = async () =>
  (await guest.shell('deploy_app.sh status'))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^(.) \S+ (\S+) +(\S*)$/, '$1 $2 $3'));

it('a guest is set up, and the second time nothing is changed, in one round trip', async () => {
  expect((await configureGuest(run())).length).toBeGreaterThan(20);
  const before = host.roundTrips;
  expect(await configureGuest(run())).toEqual([]);
  expect(host.roundTrips - before).toBe(1);
});

it('files and folders have their owners and modes', async () => {
  const stat = await guest.shell(
    "stat -c '%n %a %U:%G' /srv/app/releases /srv/app/shared /srv/app/.env.dev /srv/app/.deploy/key /usr/local/bin/deploy_app.sh /etc/sudoers.d/nx-mooring /home/appuser/.ssh/authorized_keys",
  );
  expect(stat.trim().split('\n')).toEqual([
    '/srv/app/releases 755 appuser:appuser',
    '/srv/app/shared 750 appuser:appuser',
    '/srv/app/.env.dev 600 appuser:appuser',
    '/srv/app/.deploy/key 600 appuser:appuser',
    '/usr/local/bin/deploy_app.sh 755 root:root',
    '/etc/sudoers.d/nx-mooring 440 root:root',
    '/home/appuser/.ssh/authorized_keys 600 appuser:appuser',
  ]);
  expect(await guest.shell('readlink /srv/app/backend /srv/app/frontend')).toBe('current/backend\ncurrent/frontend\n');
});

it('appuser may restart the units, and do nothing else as root', async () => {
  expect(await guest.ssh('appuser', 'sudo -n systemctl restart app-backend.service && echo done')).toBe('done\n');
  for (const command of ['systemctl restart ssh', 'systemctl status app-backend.service', 'sh -c id', 'systemctl edit app-backend.service'])
    await expect(guest.ssh('appuser', `sudo -n ${command}`)).rejects.toThrow('a password is required');
});

it('only SSH and the ports of the application are open; one that is not wanted any more is closed', async () => {
  const open = async () =>
    [...(await guest.shell('ufw status')).matchAll(/^(\d+)\/tcp +ALLOW/gm)].map(([, port]) => Number(port)).sort((a, b) => a - b);
  expect(await guest.shell('ufw status verbose')).toContain('Default: deny (incoming)');
  expect(await open()).toEqual([22, 3000, 3001]);
  await guest.shell('ufw allow 9100/tcp comment "of somebody else" >/dev/null');
  await configureGuest(run({ ports: { backend: 3001, frontend: 8080 } }));
  expect(await open()).toEqual([22, 3001, 8080, 9100]);
  await configureGuest(run());
  expect(await open()).toEqual([22, 3000, 3001, 9100]);
});

it('where a socket of systemd starts sshd, its port is open, and a change of its settings is read', async () => {
  const SSHD = '/etc/ssh/sshd_config.d/10-nx-mooring.conf';
  await host.close();
  // One socket that starts the service at the first connection (Debian 13, Ubuntu), on a second port; one that starts an sshd each, of another name.
  await guest.shell(`mkdir -p /etc/systemd/system/ssh.socket.d
printf '[Socket]\\nListenStream=2201\\n' >/etc/systemd/system/ssh.socket.d/port.conf
printf '[Socket]\\nListenStream=2202\\nAccept=yes\\n' >/etc/systemd/system/sshd.socket
printf '[Service]\\nExecStart=-/usr/sbin/sshd -i\\nStandardInput=socket\\nRuntimeDirectory=sshd\\nRuntimeDirectoryPreserve=yes\\n' >/etc/systemd/system/sshd@.service
systemctl disable -q --now ssh.service; systemctl daemon-reload; systemctl enable -q --now ssh.socket; systemctl start sshd.socket
rm ${SSHD}; ufw --force disable >/dev/null; ! systemctl is-active -q ssh.service`);
  const changed = async () => (await configureGuest(run())).map(({ resource }) => resource);
  // By the socket's own sshd: neither the service nor its folder is there.
  host = await guest.open(undefined, 2202);
  expect(await guest.shell('systemctl is-active ssh.service || true')).toBe('inactive\n');
  const first = await changed();
  expect([first[0], ...first.slice(1, 3).sort(), first[3]]).toEqual([
    ...[`file ${SSHD}`, 'firewall rule 2201/tcp', 'firewall rule 2202/tcp', 'firewall'],
  ]);
  expect(await changed()).toEqual([]);
  await host.close();
  // By the service's socket: now both are active.
  host = await guest.open(undefined, 2201);
  expect(await guest.shell('systemctl is-active ssh.service ssh.socket')).toBe('active\nactive\n');
  await guest.shell(`rm ${SSHD}`);
  expect(await changed()).toEqual([`file ${SSHD}`]);
  expect(await changed()).toEqual([]);
  await host.close();
  // Its unit is called otherwise, and cannot be told to read its files.
  await guest.shell(`systemctl disable -q --now ssh.socket; systemctl stop sshd.socket ssh.service; rm /etc/systemd/system/sshd.socket
sed '/^ExecReload/d;/^Alias/d' /lib/systemd/system/ssh.service >/etc/systemd/system/sshd.service; systemctl daemon-reload; systemctl start sshd.service; rm ${SSHD}`);
  host = await guest.open();
  const pid = await guest.shell('systemctl show -P MainPID sshd.service');
  expect(await changed()).toEqual([`file ${SSHD}`]);
  expect(await changed()).toEqual([]);
  expect(await guest.shell('systemctl show -P MainPID sshd.service; systemctl is-active sshd.service')).toBe(`${pid}active\n`);
  expect(await guest.shell('journalctl -u sshd.service -o cat --no-pager')).toContain('Received SIGHUP; restarting');
  await host.close();
  await guest.shell(`systemctl stop sshd.service; rm /etc/systemd/system/sshd.service /etc/systemd/system/ssh.socket.d/port.conf
systemctl daemon-reload; systemctl enable -q --now ssh.service`);
  host = await guest.open();
});

it('the units are hardened', async () => {
  for (const unit of ['app-backend', 'app-frontend', 'app-job-arguments']) {
    const told = await guest.shell(
      `systemd-analyze security --no-pager ${unit}.service | tail -n 1; systemd-analyze verify ${unit}.service`,
    );
    const [, score] = /exposure level for \S+: ([\d.]+)/.exec(told) ?? [];
    expect(Number(score), told).toBeLessThanOrEqual(3.5);
  }
});

it('the newest commit is deployed, answers from outside, and the second time nothing is done', async () => {
  const plan = await deployToGuest(run());
  expect(plan.changes.map(({ resource }) => resource)).toEqual([`release ${plan.release}`, 'database schema', 'live release']);
  expect(await fromOutside(3001, '/health')).toEqual({ status: 200, text: '{"app":"notes","environment":"dev","form":2}\n' });
  await fetch(`http://${guest.address}:3001/notes`, { method: 'POST', body: 'buy <rope>' });
  expect((await fromOutside(3000, '/')).text).toContain('<li>buy &lt;rope></li>');
  expect(await verifyGuest(run(), host.connect, '127.0.0.1')).toEqual({ version: 'node', detail: '/health answers 200' });
  expect(await deployToGuest(run())).toMatchObject({ changes: [], because: expect.stringContaining('is live already') });
  expect(await configureGuest(run())).toEqual([]);
});

it('every variable and every argument arrives as it is in the settings', async () => {
  const environ = await guest.shell('base64 -w0 /proc/$(systemctl show -P MainPID app-backend)/environ');
  const lines = Buffer.from(environ, 'base64').toString('utf8').split('\0');
  for (const [i, text] of hostileTexts.entries()) expect(lines).toContain(`HOSTILE_${i}=${text}`);
  await guest.shell('systemctl start app-job-arguments.service');
  expect(JSON.parse(await guest.shell('cat /srv/app/shared/arguments'))).toEqual(oneLine);
});

it('systemd and a shell read any value back as it was', async () => {
  const values = Object.fromEntries(
    fc.sample(fc.string({ unit: 'binary', maxLength: 60 }).filter(isEnvironmentValue), 300).map((text, i) => [`V${i}`, text]),
  );
  const file = { path: '/run/any.env', content: renderEnvironmentFile(values), mode: '0600', owner: 'root:root' };
  const readers = [
    ['systemd-run', '--quiet', '--wait', '--pipe', '-p', `EnvironmentFile=${file.path}`, 'sh', '-c', 'env -0 | base64 -w0'],
    ['sh', '-euc', 'set -a; . "$1"; env -0 | base64 -w0', 'sh', file.path],
  ] as const;
  const [, ...read] = await host.run([writeFile(file), ...readers.map((argv) => write([...argv]))], 'sequence');
  for (const { stdout, stderr, code } of read) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = Buffer.from(stdout, 'base64').toString('utf8').split('\0');
    for (const [name, text] of Object.entries(values)) expect(lines).toContain(`${name}=${text}`);
  }
  expect(read).toHaveLength(readers.length);
});

it('another value of a variable restarts the units, once', async () => {
  const changes = await configureGuest(run({ envVars: { ...hostile, HOSTILE_0: 'another' } }));
  expect(changes.map(({ resource }) => resource)).toEqual(['file /srv/app/.env.dev', 'unit app-backend.service app-frontend.service']);
  expect(await configureGuest(run())).toHaveLength(2);
  expect(await configureGuest(run())).toEqual([]);
});

it('a release that is not healthy is taken back by itself, and what it said is shown', async () => {
  const server = await repository.read('backend/server.js');
  const [live] = (await releases()).filter((line) => line.startsWith('*'));
  const bad = await repository.commit('broken', { 'backend/server.js': server.replace('form === FORM ? 200 : 503', '500') });
  const text = await failure(deployToGuest(run()));
  expect(text).toContain('/health answers 500: {"app":"notes"');
  expect(text).toMatch(/release \S+ is live again and healthy; the other one is kept in \/srv\/app\/releases\//);
  expect(await releases()).toEqual([live, `  failed ${bad}`]);
  expect((await fromOutside(3001, '/health')).status).toBe(200);
  await repository.commit('fixed', { 'backend/server.js': server });
});

it('one that does not even start is taken back as well, however often it was tried', async () => {
  const server = await repository.read('backend/server.js');
  await repository.commit('does not start', { 'backend/server.js': 'process.exit(3);\n' });
  expect(await failure(deployToGuest(run()))).toContain('is live again and healthy');
  expect((await fromOutside(3001, '/health')).status).toBe(200);
  await repository.commit('fixed', { 'backend/server.js': server });
});

it('a migration that fails leaves the old release live', async () => {
  const migrate = await repository.read('backend/migrate.js');
  const bad = await repository.commit('bad migration', { 'backend/migrate.js': 'throw new Error("the schema is wrong");\n' });
  const text = await failure(deployToGuest(run()));
  expect(text).toContain('nothing was switched');
  expect(await releases()).toContain(`  failed ${bad}`);
  expect((await fromOutside(3001, '/health')).status).toBe(200);
  await repository.commit('fixed', { 'backend/migrate.js': migrate });
});

it('a connection that is lost in the middle leaves a deploy that the next run ends', async () => {
  const cut = await guest.open();
  const told: string[] = [];
  const cutting = {
    ...runOn(guest, cut, settingsOf(base), told),
    progress: (line: string) => void (line.includes('live release') && setTimeout(() => cut.close(), 300)),
  };
  expect(await failure(deployToGuest(cutting))).toContain('connection');
  const plan = await deployToGuest(run());
  expect(await releases()).toContain(`* good ${plan.commit}`);
  expect((await fromOutside(3001, '/health')).status).toBe(200);
});

it('a roll-back goes to the release that was live before, and --to forward again', async () => {
  const before = await releases();
  const plan = await rollBackGuest(run());
  expect(before).toContain(`  good ${plan.commit}`);
  expect(await releases()).toContain(`* good ${plan.commit}`);
  const [newest] = before.filter((line) => line.startsWith('*')).map((line) => line.split(' ').at(-1) as string);
  expect((await rollBackGuest(run(), newest)).commit).toBe(newest);
  expect((await rollBackGuest(run(), newest)).changes).toEqual([]);
});

it('so many good releases are kept as the settings say, and the last two that failed', async () => {
  const commit = await repository.commit('one more', {});
  const keeping = run({ releases: { keep: 2 } });
  expect((await deployToGuest(keeping)).changes.at(-1)).toMatchObject({ action: 'destroy' });
  expect((await deployToGuest(keeping)).changes).toEqual([]);
  const states = (await releases()).map((line) => line.slice(2).split(' ')[0]);
  expect(states.filter((state) => state === 'good')).toHaveLength(2);
  expect(states.filter((state) => state === 'failed')).toHaveLength(2);
  expect(await releases()).toContain(`* good ${commit}`);
});

it('the same by hand on the guest, as appuser', async () => {
  const commit = await repository.commit('by hand', {});
  expect(await guest.ssh('appuser', 'deploy_app.sh')).toMatch(/is live; http:\/\/127.0.0.1:3001\/health answers 200\n$/);
  expect(await releases()).toContain(`* good ${commit}`);
  expect(await deployToGuest(run())).toMatchObject({ commit, because: expect.stringContaining('is live already') });
});

it('somebody other than root sets it up and deploys, by sudo', async () => {
  await guest.shell(`useradd -m admin; echo 'admin ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/admin
install -d -o admin -m 0700 /home/admin/.ssh; install -o admin -m 0600 /root/.ssh/authorized_keys /home/admin/.ssh/`);
  const admin = await guest.open('admin');
  try {
    const asAdmin = { ...run(), host: admin };
    expect(await configureGuest(asAdmin)).toEqual([]);
    await guest.shell('rm /usr/local/bin/deploy_app.sh');
    expect((await configureGuest(asAdmin)).map(({ resource }) => resource)).toEqual(['file /usr/local/bin/deploy_app.sh']);
    const commit = await repository.commit('by sudo', {});
    expect((await deployToGuest(asAdmin)).commit).toBe(commit);
    expect((await rollBackGuest(asAdmin)).commit).not.toBe(commit);
  } finally {
    await admin.close();
  }
});

it('another host key of the git server is not taken', async () => {
  const [type, key] = git.hostKey.split(' ') as [string, string];
  const other = `${type} ${key.slice(0, -4)}AAAA`;
  await configureGuest(run({ gitHostKeys: [other] }));
  expect(await failure(deployToGuest(run({ gitHostKeys: [other] })))).toMatch(/the newest commit of the branch is not known/);
  await configureGuest(run());
});

it('another major of Node comes as an archive over this machine, beside the one of Debian', async () => {
  const archive = await makeNodeArchive();
  try {
    const { sha256, version, path } = archive;
    const major = Number(version.split('.')[0]);
    const node = { ...(base.node as object), version: major, archive: { url: 'https://nodejs.example.org/node.tar', sha256, version } };
    expect(await failure(configureGuest(run({ node: { ...(base.node as object), version: major } })))).toContain(
      `the settings want ${major}`,
    );
    const withArchive = { ...run({ node }), obtain: async () => ({ path, sha256 }) };
    expect((await configureGuest(withArchive)).map(({ resource }) => resource)).toContain('Node');
    expect(await configureGuest(withArchive)).toEqual([]);
    const commit = await repository.commit('on another Node', {});
    expect((await deployToGuest(withArchive)).commit).toBe(commit);
    expect(await guest.shell('readlink -f /proc/$(systemctl show -P MainPID app-backend)/exe')).toMatch(`/usr/local/lib/node-${version}-`);
    expect(await guest.shell("npm --version >/dev/null; dpkg-query -W -f '${Status}' nodejs")).toBe('install ok installed');
    base.node = node;
  } finally {
    await archive.remove();
  }
});

it('after a restart of the guest the application is back', async () => {
  await host.close();
  await guest.restart();
  host = await guest.open();
  await expect
    .poll(
      () =>
        fromOutside(3001, '/health').then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 60_000 },
    )
    .toBe(200);
  expect(await configureGuest(run())).toEqual([]);
});
