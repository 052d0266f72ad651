import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectConverged } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import { jsonIn, jsonLinesIn } from './output.ts';
import type { Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-snap';
/** Refuses to be made quiet while a file is there, and leaves another one after each cut. */
const QUIESCE = `  quiesce: {
    before: () => [{ argv: ['test', '!', '-e', '/run/refuse'], effect: 'write' }],
    after: () => [{ argv: ['touch', '/run/after-ran'], effect: 'write' }],
    timeoutMs: 5000,
  },
  unit: UNIT,`;

let workspace: Workspace;
const sha = (digit: string) => digit.repeat(40);
const named = (digit: string) => `pre-deploy-${sha(digit)}`;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: [] });
  const folder = join(workspace.root, 'infra/memcached');
  await cp(join(import.meta.dirname, 'memcached'), folder, { recursive: true });
  const service = await readFile(join(folder, 'service.ts'), 'utf8');
  await writeFile(join(folder, 'service.ts'), service.replace(/^ {2}unit: UNIT,$/m, QUIESCE));
  const devices = { blobs: { type: 'disk', pool: 'lab', source: 'blobs', path: '/srv/blobs' } };
  await workspace.edit('infra/memcached/container.json', (file) => Object.assign(file, { devices }));
  await workspace.edit(workspace.environmentFile, (file) => Object.assign(file, { retention: 5 }));
  await workspace.incus('storage', 'volume', 'create', 'lab', 'blobs', 'snapshots.expiry=1d');
  await workspace.commit('a service with a custom volume');
  await expectConverged(workspace.configure(`--release=${sha('a')}`));
});
afterAll(() => workspace.remove());

type Snapshot = { name: string; expires_at: string | null; config: Record<string, string> };
const volumeSnapshots = () => workspace.api<Snapshot[]>('storage-pools/lab/volumes/custom/blobs/snapshots', '&recursion=1');
/** Names of all snapshots, of the container and of its volume. */
async function snapshots(): Promise<{ root: string[]; blobs: string[] }> {
  const root = await workspace.api<Snapshot[]>(`instances/${workspace.instance('memcached')}/snapshots`, '&recursion=1');
  const names = (all: Snapshot[]) => all.map(({ name }) => name.split('/').at(-1) as string).sort();
  return { root: names(root), blobs: names(await volumeSnapshots()) };
}
const both = (...digits: string[]) => ({ root: digits.map(named), blobs: digits.map(named) });

describe('a custom volume', () => {
  it('is foreseen, cut with its container, proved and kept for ever', async () => {
    const plan = await expectConverged(workspace.run('memcached', 'plan', `--release=${sha('b')}`));
    expect(plan).toContain('would be cut: there is no restore point yet');
    expect(plan).toContain('not in one moment: Incus cuts one volume after the other');
    const output = await expectConverged(workspace.configure(`--release=${sha('b')}`));
    expect(output).toContain(`cut pre-deploy-${'b'.repeat(12)} of e2e-snap-memcached, e2e-snap-memcached/blobs`);
    expect(output).toContain(`memcached: snapshot: e2e-snap-memcached/blobs/${named('b')}`);
    expect(await snapshots()).toEqual(both('b'));
    expect(await volumeSnapshots()).toMatchObject([
      { expires_at: null, config: { 'user.mooring.set-members': 'e2e-snap-memcached,e2e-snap-memcached/blobs' } },
    ]);
  });

  it('does not make a run without changes cut again', async () => {
    expect(await expectConverged(workspace.configure(`--release=${sha('b')}`))).toContain(`${ENVIRONMENT}: 0 changes; 3 round trips`);
    expect(await snapshots()).toEqual(both('b'));
  });
});

describe('a service that does not become quiet', () => {
  it('is a warning, and `after` runs', async () => {
    await workspace.guest('memcached', 'rm -f /run/after-ran; touch /run/refuse');
    const output = await expectConverged(workspace.configure(`--release=${sha('c')}`));
    expect(output).toContain('e2e-snap-memcached, before the cut: test ');
    expect(output).toContain('failed (exit code 1)');
    expect(await snapshots()).toEqual(both('b', 'c'));
    await workspace.guest('memcached', 'test -e /run/after-ran');
  });

  it('stops the cut where the environment wants it, and `after` runs', async () => {
    await workspace.edit(workspace.environmentFile, (file) => Object.assign(file, { quiesce: 'error' }));
    await workspace.commit('quiet or not at all');
    await workspace.guest('memcached', 'rm -f /run/after-ran');
    const { code, output } = await workspace.configure(`--release=${sha('d')}`);
    expect(code, output).toBe(1);
    expect(output).toContain('not cut: e2e-snap-memcached, before the cut: test ');
    expect(output).toMatch(/next: {4}.*"quiesce": "warning"/);
    expect(await snapshots()).toEqual(both('b', 'c'));
    await workspace.guest('memcached', 'test -e /run/after-ran; rm /run/refuse');
  });
});

describe('zfs:snapshots', () => {
  it('lists the sets, and what only looks like one', async () => {
    await expectConverged(workspace.configure(`--release=${sha('d')}`));
    await workspace.incus('storage', 'volume', 'snapshot', 'create', 'lab', 'blobs', named('f'));
    const output = await expectConverged(workspace.run('zfs', 'snapshots'));
    expect(output).toMatch(/RESTORE POINT +BEFORE RELEASE +CUT +AGE +USED +WRITTEN SINCE +HELD +LAST GOOD +VOLUMES/);
    expect(output).toMatch(/pre-deploy-d{12} +d{12} +2\d{3}-.* UTC +\d+ \w+ +unknown +unknown +- +yes +2$/m);
    expect(output).toContain(`not ours: e2e-snap-memcached/blobs/${named('f')}: its marks are meant for ${named('d')}`);
    const json = jsonIn<{ hosts: { sets: { name: string; lastGood: boolean; members: string[]; writtenSinceBytes: null }[] }[] }>(
      await expectConverged(workspace.run('zfs', 'snapshots', '--json')),
    );
    expect(json.hosts[0]?.sets.map(({ name, lastGood }) => [name, lastGood])).toEqual([
      [named('d'), true],
      [named('c'), false],
      [named('b'), false],
    ]);
    expect(json.hosts[0]?.sets[0]).toMatchObject({ members: ['e2e-snap-memcached', 'e2e-snap-memcached/blobs'], writtenSinceBytes: null });
  });
});

describe('zfs:prune', () => {
  const doomed = (digit: string) => `destroy pre-deploy-${digit.repeat(12)}: no rule keeps it`;

  it('--dry-run explains every decision and changes nothing', async () => {
    await workspace.edit(workspace.environmentFile, (file) => Object.assign(file, { retention: 1 }));
    const before = await snapshots();
    const output = await expectConverged(workspace.run('zfs', 'prune', '--dry-run'));
    expect(output).toContain(
      `keep pre-deploy-${'d'.repeat(12)}: it is the restore point of the last good deploy (dddddddddddd); it is among`,
    );
    expect(output).toContain(doomed('c'));
    expect(output).toContain(doomed('b'));
    expect(output).toContain(`keep e2e-snap-memcached/blobs/${named('f')}: it is not ours`);
    expect(output).toContain('2 of 3 restore points would be destroyed; nothing was changed');
    expect(await snapshots()).toEqual(before);
  });

  it('destroys them whole, and writes it down; what is not ours stays', async () => {
    const output = await expectConverged(workspace.run('zfs', 'prune'));
    expect(output).toContain(doomed('b'));
    expect(output).toContain('destroyed 2 of 3 restore points');
    expect(await snapshots()).toEqual({ root: [named('d')], blobs: [named('d'), named('f')] });
    const log = jsonLinesIn<{ what: string; result: string; changes?: string[] }>(
      await expectConverged(workspace.nx(['run', 'zfs:log', '-c', ENVIRONMENT, '--json'])),
    );
    expect(log.at(-1)).toMatchObject({ what: 'prune', result: 'ok', changes: [expect.stringContaining(named('c')), expect.anything()] });
  });

  it('again has nothing to destroy, holds no lease, and the next deploy goes on', async () => {
    expect(await expectConverged(workspace.run('zfs', 'prune', '--json'))).toMatch(/"dryRun": false/);
    await workspace.edit(workspace.environmentFile, (file) => Object.assign(file, { retention: 5 }));
    await expectConverged(workspace.configure(`--release=${sha('e')}`));
    expect((await snapshots()).root).toEqual([named('d'), named('e')]);
  });

  it('waits for no lease of another run unless told to', async () => {
    const lease = { runId: 'other', who: 'x', from: 'y', release: 'z', since: 1, expires: Math.floor(Date.now() / 1000) + 600 };
    await writeFile(`/var/lib/mooring/${ENVIRONMENT}/lease`, `${JSON.stringify(lease)}\n`);
    const { code, output } = await workspace.run('zfs', 'prune');
    expect(code, output).toBe(1);
    expect(output).toContain(`${ENVIRONMENT} is held by another run`);
    expect(await expectConverged(workspace.run('zfs', 'prune', '--dry-run'))).toContain('0 of 2 restore points would be destroyed');
    expect(await expectConverged(workspace.run('zfs', 'prune', '--lease-take=other'))).toContain('destroyed 0 of 2 restore points');
  });
});
