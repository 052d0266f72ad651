import { mkdtemp, readdir, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectConverged } from './expectations.ts';
import { type InstalledWorkspace, makeInstalledWorkspace } from './installed-workspace.ts';
import { type Registry, startRegistry } from './registry.ts';
import { ended, nxEnvironment, REPOSITORY } from './workspace.ts';

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
