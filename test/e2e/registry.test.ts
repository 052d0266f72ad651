import { mkdtemp, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectConverged } from './expectations.ts';
import { type InstalledWorkspace, makeEmptyWorkspace, makeInstalledWorkspace } from './installed-workspace.ts';
import { type Registry, startRegistry, withNode } from './registry.ts';
import { ended, git, nxEnvironment, REPOSITORY } from './workspace.ts';

/* `nx add nx-mooring` from a registry, into an empty workspace of npm and into one of pnpm, where a package sees only what it names. */

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-registry-'));
  await expectConverged(ended('npm', ['pack', '--pack-destination', folder], join(REPOSITORY, 'tools/executors'), nxEnvironment()));
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  registry = await startRegistry(folder, join(folder, String(tarball)));
  // The registry's own packages are many, and are fetched once.
}, 900_000);
afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.each(['npm', 'pnpm'] as const)('with %s', (manager) => {
  const environment = `e2e-add-${manager}`;
  let workspace: InstalledWorkspace;
  afterAll(() => workspace?.remove());

  it('it is added, and deploys Redis', async () => {
    workspace = await makeInstalledWorkspace(environment, 'nx-mooring', { manager, env: registry.env });
    const installed = await realpath(join(workspace.root, 'node_modules/nx-mooring'));
    expect(installed.startsWith(await realpath(workspace.root))).toBe(true);
    if (manager === 'pnpm') expect(installed).toContain('node_modules/.pnpm/nx-mooring@');
    await expectConverged(workspace.nx(['generate', 'nx-mooring:container', 'redis', '--no-interactive'], { env: registry.env }));
    await rename(join(workspace.root, 'infra/environments/local.json'), join(workspace.root, workspace.environmentFile));
    await workspace.useLab();
    await workspace.secrets({ REDIS_PASSWORD: 'redis-from-a-registry' });
    await workspace.commit('the lab');
    expect(await expectConverged(workspace.configure())).toMatch(/redis \d\S+ is healthy \(AUTH and PING, from inside and over [\d.]+\)/);
    expect(await expectConverged(workspace.configure())).toContain(`${environment}: 0 changes; 3 round trips`);
  });
});

describe('with another Node', () => {
  let workspace: InstalledWorkspace | undefined;
  afterEach(() => workspace?.remove());

  it('20: init refuses before it writes, every nx command works as before, and the package is taken out again', async () => {
    const env = await withNode('20.20.2', join(folder, 'node-20'), registry);
    const stranger = await makeEmptyWorkspace('e2e-add-older', { manager: 'npm', env });
    workspace = stranger;
    const { code, output } = await stranger.nx(['add', 'nx-mooring'], { env });
    expect(code, output).toBe(1);
    expect(output).toContain('nx-mooring needs Node 22.18 or newer; this is Node 20.20.2. Nothing was written');
    expect(output).toContain('take the package out again: npm rm nx-mooring');
    // Nor does a generator that would enter the plugin by the way.
    expect(await stranger.nx(['generate', 'nx-mooring:container', 'redis', '--no-interactive'], { env })).toMatchObject({ code: 1 });
    for (const command of [['show', 'projects'], ['report'], ['run-many', '-t', 'build']])
      expect(await stranger.nx(command, { env }), command.join(' ')).toMatchObject({ code: 0 });
    expect(await readFile(join(stranger.root, 'nx.json'), 'utf8')).toBe('{}\n');
    await expectConverged(ended('npm', ['rm', 'nx-mooring'], stranger.root, env));
    expect(await git(stranger.root, 'status', '--porcelain')).toBe('');
  }, 600_000);

  it('22.18, the oldest that will do: it is added, and plans', async () => {
    const env = await withNode('22.18.0', join(folder, 'node-22'), registry);
    workspace = await makeInstalledWorkspace('e2e-add-oldest', 'nx-mooring', { manager: 'npm', env });
    await expectConverged(workspace.nx(['generate', 'nx-mooring:container', 'redis', '--no-interactive'], { env }));
    expect(JSON.parse(await expectConverged(workspace.nx(['show', 'projects', '--json'], { env })))).toEqual(
      expect.arrayContaining(['redis', 'zfs']),
    );
    // It reads the files, and asks no host: no secret is there.
    const { code, output } = await workspace.nx(['run', 'redis:plan', '-c', 'local', '--output-style=static'], { env });
    expect(code, output).toBe(1);
    expect(output).toContain('REDIS_PASSWORD');
  }, 600_000);
});
