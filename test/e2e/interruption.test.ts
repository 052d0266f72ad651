import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Application, makeSecrets } from './application.ts';
import { configuringRedis, uninstallRedis } from './in-the-middle.ts';
import { jsonLinesIn, planned } from './output.ts';
import { seenFromOutside } from './outside.ts';
import { makeRemote, type Remote } from './remote.ts';
import { startConfigure } from './running.ts';
import type { Ended, Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-interruption';
const secrets = makeSecrets('interruption');
const LEASE = `/var/lib/mooring/${ENVIRONMENT}/lease`;

let remote: Remote;
let workspace: Workspace;
let application: Application;

beforeAll(async () => {
  remote = await makeRemote({ environment: ENVIRONMENT, containers: ['redis'], secrets });
  ({ workspace } = remote);
  application = new Application(workspace, ['redis']);
});
afterAll(() => remote.remove());

/** A new release, with the host reached as told: `local`, `near` (SSH), `far` (SSH through a proxy command). @returns the release */
async function newRelease(host: string): Promise<string> {
  await workspace.edit(workspace.environmentFile, (content) => {
    content.host = host;
  });
  return workspace.commit(`on ${host}`);
}

const auditLog = async () =>
  jsonLinesIn<{ run: string; what: string; result: string; release?: string; detail?: string }>(
    await readFile(`/var/lib/mooring/${ENVIRONMENT}/audit.jsonl`, 'utf8'),
  );
const holder = () => JSON.parse(readFileSync(LEASE, 'utf8')) as { runId: string; expires: number };

async function leaseGone(seconds: number): Promise<void> {
  for (let i = 0; existsSync(LEASE); i++) {
    if (i > seconds * 10) throw new Error(`the lease is still held: ${readFileSync(LEASE, 'utf8')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The second run: it converged, and left nothing behind that an undisturbed one would not have left. */
async function expectConverged({ code, output }: Ended, release: string): Promise<void> {
  expect(code, output).toBe(0);
  expect(existsSync(LEASE), 'a lease is left').toBe(false);
  const [instance] = await workspace.api<{ config: Record<string, string>; snapshots: { name: string }[] | null }[]>(
    'instances',
    '&recursion=2',
  );
  expect(instance?.config['user.mooring.release']).toBe(release);
  const points = (instance?.snapshots ?? []).map(({ name }) => name).filter((name) => name.includes(release));
  expect(points).toEqual([`pre-deploy-${release}`]);
  expect((await auditLog()).at(-1)).toMatchObject({ what: 'deploy', result: 'ok', release });
  expect(await workspace.guest('redis', 'dpkg --audit; ls -d /run/mooring.* 2>/dev/null || true')).toBe('');
  expect(await planned(workspace, '--fail-on-changes')).toMatchObject({ code: 0, changes: [] });
  expect(await application.read(secrets)).toEqual({ redis: 'kept over all of it' });
}

it('kill -9 of all in the middle of creating a container: its lease stands, and runs out; then the second run converges', async () => {
  const release = await newRelease('local');
  const run = startConfigure(workspace);
  await run.says(/provision: create instance/);
  run.killAll();
  await run.ended;
  const dead = holder();
  await writeFile(LEASE, JSON.stringify({ ...dead, expires: 1 }));
  const second = await workspace.configure();
  await application.write(secrets, 'kept over all of it');
  expect(second.code, second.output).toBe(0);
  expect((await auditLog()).filter(({ what }) => what === 'lease')).toMatchObject([
    { detail: expect.stringContaining(`after one that had run out: root from`) },
  ]);
  expect((await auditLog()).at(-1)).toMatchObject({ what: 'deploy', result: 'ok', release });
  expect(await planned(workspace, '--fail-on-changes')).toMatchObject({ code: 0, changes: [] });
});

it('SIGTERM in the middle: exit 1 with the cause, nothing held; the second run converges', async () => {
  await uninstallRedis(workspace);
  const release = await newRelease('local');
  const run = await configuringRedis(workspace);
  run.kill('SIGTERM');
  const { code, output } = await run.ended;
  expect(code, output).toBe(1);
  expect(output).toMatch(
    /redis:configure:\S+ failed: stopped: ended by SIGTERM, in the middle of a change: .*unknown whether the last commands were done/,
  );
  expect(output).toMatch(/stopping: ended by SIGTERM; nothing more is begun/);
  expect(output).toMatch(/next: +run the same command again/);
  expect(existsSync(LEASE)).toBe(false);
  expect((await auditLog()).at(-1)).toMatchObject({ what: 'deploy', result: 'failed', release });
  await expectConverged(await workspace.configure(), release);
});

it('SIGTERM in the middle with --batch=false: not exit 0, nothing held; the second run converges', async () => {
  await uninstallRedis(workspace);
  const release = await newRelease('local');
  const run = await configuringRedis(workspace, '--batch=false');
  run.kill('SIGTERM');
  const { code, output } = await run.ended;
  expect([code, output]).toEqual([expect.any(Number), expect.stringMatching(/ended by SIGTERM|did not complete/)]);
  expect(code, output).not.toBe(0);
  await leaseGone(5);
  await expectConverged(await workspace.configure(), release);
});

it('kill -9 of nx in the middle: what had begun is finished, written down and given back; the second run converges', async () => {
  await uninstallRedis(workspace);
  const release = await newRelease('local');
  const run = await configuringRedis(workspace);
  run.kill('SIGKILL');
  expect((await run.ended).signal).toBe('SIGKILL');
  expect(holder().expires).toBeGreaterThan(Date.now() / 1000);
  await leaseGone(60);
  expect((await auditLog()).slice(-2)).toMatchObject([
    { what: 'failure', detail: expect.stringContaining('stopped: nx is gone. What had begun was finished') },
    { what: 'deploy', result: 'failed', release },
  ]);
  await expectConverged(await workspace.configure(), release);
});

it('connection cut in the middle: exit 1; the next run names the holder, the seconds left and both ways on; --lease-take converges', async () => {
  await uninstallRedis(workspace);
  const release = await newRelease('near');
  const run = await configuringRedis(workspace);
  remote.sshd.cutConnections();
  const { code, output } = await run.ended;
  expect(code, output).toBe(1);
  expect(output).toMatch(/the connection was lost while near was running a command: it is unknown whether it was done/);
  expect(output).toMatch(/where: +host near, instance e2e-interruption-redis, step packages/);
  expect(output).toMatch(/next: +run the same command again/);

  const { runId } = holder();
  const held = await workspace.configure();
  expect(held.code, held.output).toBe(1);
  expect(held.output).toMatch(
    new RegExp(
      `${ENVIRONMENT} is held by another run: root from \\S+, run ${runId}, since .* UTC, release ${release.slice(0, 12)}; its lease runs out in \\d+ s`,
    ),
  );
  expect(held.output).toContain(`the same command with --lease-wait=90s; or, if that run is known to be dead: --lease-take=${runId}`);

  await expectConverged(await workspace.configure(`--lease-take=${runId}`), release);
  expect((await auditLog()).findLast(({ what }) => what === 'lease')?.detail).toMatch(
    new RegExp(`^taken from root from \\S+, run ${runId}`),
  );
});

it('two deploys at once: the second exits 1 naming the holder, and touches nothing; with --lease-wait it waits and succeeds', async () => {
  await uninstallRedis(workspace);
  const release = await newRelease('local');
  const first = await configuringRedis(workspace);
  const [refused, waiting] = [startConfigure(workspace), startConfigure(workspace, '--lease-wait=90s')];
  const { runId } = holder();
  const second = await refused.ended;
  expect(second.code, second.output).toBe(1);
  expect(second.output).toMatch(
    new RegExp(`${ENVIRONMENT} is held by another run: root from \\S+, run ${runId}, since .*; its lease runs out in \\d+ s`),
  );
  expect(second.output).toContain('--lease-wait=90s');
  expect(second.output).not.toContain('packages: create');
  expect((await first.ended).code, first.output).toBe(0);

  const third = await waiting.ended;
  expect(third.output).toMatch(/waiting, at most \d+ s more: e2e-interruption is held by another run/);
  expect(third.output).toContain('0 changes');
  await expectConverged(third, release);
  const before = await seenFromOutside(workspace, ['redis']);
  const noop = await workspace.configure();
  expect(noop.code, noop.output).toBe(0);
  expect(noop.output).toContain('0 changes; 3 round trips');
  expect(await seenFromOutside(workspace, ['redis'])).toEqual(before);
});
