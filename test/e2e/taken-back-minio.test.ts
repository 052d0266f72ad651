import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { s3 } from './clients.ts';
import { makeWorkspace } from './make-workspace.ts';
import type { Workspace } from './workspace.ts';
import { Writer } from './writer.ts';

/** A bad setting of MinIO never leaves it down: refused beforehand where it can be tried, else taken back. */

const ENVIRONMENT = 'e2e-minio-back';
const SECRETS = makeSecrets('minio-back');
const SETTINGS = 'infra/minio/container.json';

let workspace: Workspace;
let application: Application;
let address: string;
let writer: Writer;
let downloads: Server;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: ['minio'], secrets: SECRETS });
  application = new Application(workspace, ['minio']);
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  address = await application.address('minio');
  writer = new Writer((number) => s3(address, application.keys(SECRETS), 'PUT', `/${application.bucket}/object-${number}`, String(number)));
  downloads = createServer((_, response) => response.end(content));
  await new Promise<void>((resolve) => downloads.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  downloads?.close();
  await workspace?.remove();
});

/** What can be downloaded. */
let content: Buffer;

async function set(settings: Record<string, unknown>): Promise<void> {
  await workspace.edit(SETTINGS, (file) => Object.assign(file.settings as object, settings));
  await workspace.commit(`settings: ${JSON.stringify(settings)}`);
}

const pid = () => workspace.guest('minio', 'systemctl show -P MainPID minio.service');

/** Deploys a setting that MinIO does not take, under a client that writes. */
async function deployBad(settings: Record<string, unknown>): Promise<string> {
  await set(settings);
  await writer.start();
  const { code, output } = await workspace.configure();
  await writer.stop();
  expect(code, output).toBe(1);
  return output;
}

it('refuses what a server that is tried refuses: the live one is not touched', async () => {
  const before = await pid();
  for (const region of ['1-east', 'a']) {
    const output = await deployBad({ region });
    expect(output).toContain('MinIO does not take these settings, and none of them was written');
    expect(output).toContain(`region '${region}' is invalid`);
  }
  expect(writer.failures).toEqual([]);
  expect(await pid()).toBe(before);
  await set({ region: 'us-east-1' });
});

it.each([
  { what: 'another program', binary: Buffer.from('#!/bin/sh\necho "frobnicator 3.1"\n'), says: 'frobnicator 3.1' },
  { what: 'no program', binary: Buffer.from('\x7fELF and no more'), says: '.*' },
])('refuses a binary that is $what: the live server is not touched', async ({ binary, says }) => {
  const before = await pid();
  content = binary;
  const url = `http://127.0.0.1:${(downloads.address() as AddressInfo).port}/minio`;
  const sha256 = createHash('sha256').update(binary).digest('hex');
  const output = await deployBad({ binary: { version: 'frobnicator-3', url, sha256 } });
  expect(output).toMatch(new RegExp(`the binary is not MinIO: asked for its version, it says: ${says}`));
  expect(output).toContain('the former configuration runs again: minio is healthy');
  expect(writer.failures).toEqual([]);
  expect(await pid()).toBe(before);
  await set({ binary: {} });
  expect((await workspace.configure()).output).toContain('0 changes');
});

/** Perl that listens on a port until it is ended. */
const listenOn = (port: number) =>
  `use Socket; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(${port}, INADDR_ANY)) or die; listen(S, 5); sleep`;

it('refuses a port that another program has: the plan names it, and the live server is not touched', async () => {
  await workspace.guest('minio', `systemd-run --quiet --unit=taken perl -e '${listenOn(9500)}'`);
  const [before, taker] = [await pid(), (await workspace.guest('minio', 'systemctl show -P MainPID taken.service')).trim()];
  for (const settings of [{ port: 9500 }, { port: 9000, console: true, consolePort: 9500 }]) {
    const output = await deployBad(settings);
    expect(output).toContain(`port 9500 of the container is taken: perl (process ${taker} of taken.service) listens on 0.0.0.0:9500`);
    expect(output).toContain('systemctl stop taken.service');
  }
  const { code, output } = await workspace.run('minio', 'plan');
  expect(code, output).toBe(1);
  expect(output).toContain('port 9500 of the container is taken: perl');
  expect(writer.failures).toEqual([]);
  expect(await pid()).toBe(before);
});

it('takes back a port that is taken only as it starts: it runs again, nothing acknowledged is lost, and a good setting deploys', async () => {
  // What the plan cannot see: the port is free until the unit starts.
  await workspace.guest(
    'minio',
    `cat >/usr/local/bin/take-port <<'.'
#!/bin/sh
grep -q :9501 /etc/default/minio || exit 0
systemd-run --quiet --unit=taken-late perl -e '${listenOn(9501)}'
until ss -Hltn 'sport = :9501' | grep -q .; do sleep 0.1; done
.
chmod 755 /usr/local/bin/take-port; mkdir -p /etc/systemd/system/minio.service.d
printf '[Service]\\nExecStartPre=+/usr/local/bin/take-port\\n' >/etc/systemd/system/minio.service.d/late.conf; systemctl daemon-reload`,
  );
  await writer.start();
  await workspace.guest('minio', 'systemctl restart minio.service');
  await writer.nextAcknowledged();
  await writer.stop();
  const ofRestart = writer.outage;

  const output = await deployBad({ port: 9501, console: false });
  expect(output).toContain('the former configuration runs again: minio');
  expect(output).toMatch(/taking back: update file \/etc\/default\/minio/);
  expect(output).toContain('Specified port is already in use');
  // As long as it needs to start, twice: with the new settings, and with the former ones once the failure has come back to us.
  expect(writer.outage / ofRestart, `${writer.outage} ms; a plain restart: ${ofRestart} ms`).toBeLessThan(6);

  await writer.start();
  await writer.stop();
  const listed = await Promise.all(
    writer.acknowledged.map((number) => s3(address, application.keys(SECRETS), 'GET', `/${application.bucket}/object-${number}`)),
  );
  expect(listed).toEqual(writer.acknowledged.map(String));

  await workspace.guest('minio', 'rm /etc/systemd/system/minio.service.d/late.conf; systemctl daemon-reload');
  await set({ port: 9000, console: true, consolePort: 9001 });
  const { code, output: fixed } = await workspace.configure();
  expect(code, fixed).toBe(0);
  expect((await workspace.configure()).output).toContain('0 changes');
});

it('a quota that is full is unhealthy, and the deploy that raises it goes through', async () => {
  const root = { accessKey: String(SECRETS.MINIO_ROOT_USER), secretKey: String(SECRETS.MINIO_ROOT_PASSWORD) };
  const full = JSON.stringify({ quota: 10, quotatype: 'hard' });
  await s3(address, root, 'PUT', `/minio/admin/v3/set-bucket-quota?bucket=${application.bucket}`, full);
  const verified = await workspace.run('minio', 'verify');
  expect(verified.code, verified.output).toBe(1);
  expect(verified.output).toContain(
    `put of a probe object in bucket ${application.bucket} failed: MinIO answers 400 XMinioAdminBucketQuotaExceeded`,
  );

  await set({ quota: '1gb' });
  const { code, output } = await workspace.configure();
  expect(code, output).toBe(0);
  expect(output).toContain(`update quota of bucket ${application.bucket}`);
  expect(output).not.toContain('taking back');
  expect((await workspace.configure()).output).toContain('0 changes');
});

it('a bucket of another name: nothing is touched until --leave-behind names the former one, which stays', async () => {
  const [former, before] = [application.bucket, await pid()];
  const flag = `--leave-behind=minio:bucket:${former}`;
  const says = `bucket ${former} would be left behind: its objects stay, and the application, which will use renamed-bucket, loses its access`;
  // The plan of the objects is known only after that of the files.
  await set({ bucket: 'renamed-bucket', console: false });
  const plan = await workspace.run('minio', 'plan');
  expect(plan.code, plan.output).toBe(0);
  expect(plan.output).toContain(`WARNING: ${says}`);
  expect(plan.output).toContain(flag);
  const refused = await workspace.configure();
  expect(refused.code, refused.output).toBe(1);
  expect(refused.output).toContain(`zfs:preflight:${ENVIRONMENT} failed: minio: ${says}`);
  expect(await pid()).toBe(before);
  await s3(address, application.keys(SECRETS), 'PUT', `/${former}/kept`, 'a word');

  const named = await workspace.run('minio', 'configure', flag);
  expect(named.code, named.output).toBe(0);
  await expect(s3(address, application.keys(SECRETS), 'GET', `/${former}/kept`)).rejects.toThrow('403');
  expect(await workspace.guest('minio', `ls /var/lib/minio/${former}`)).toContain('kept');
  expect((await workspace.configure()).output).toContain('0 changes');
});
