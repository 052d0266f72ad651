import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectConverged, expectRefused } from './expectations.ts';
import { makeWorkspace } from './make-workspace.ts';
import type { Workspace } from './workspace.ts';

const ENVIRONMENT = 'e2e-own';

let workspace: Workspace;
/** HEAD of the workspace. */
let head: string;

beforeAll(async () => {
  workspace = await makeWorkspace({ environment: ENVIRONMENT, containers: [] });
  await cp(join(import.meta.dirname, 'memcached'), join(workspace.root, 'infra/memcached'), { recursive: true });
  // Written as `edit` writes it, so that an edit that is taken back leaves a clean work tree.
  await workspace.edit('infra/memcached/container.json', () => {});
  head = await workspace.commit('a service of our own');
});
afterAll(() => workspace.remove());

type Instance = { name: string; config: Record<string, string>; snapshots: { name: string; config: Record<string, string> }[] | null };
const instances = () => workspace.api<Instance[]>('instances', '&recursion=2');

describe("a service of one's own: a folder with a service.ts", () => {
  it('is planned, created, configured and verified like any other', async () => {
    expect(await expectConverged(workspace.run('memcached', 'plan'))).toContain(`instance ${workspace.instance('memcached')}`);
    expect(await instances()).toEqual([]);
    const output = await expectConverged(workspace.configure());
    expect(output).toMatch(
      /memcached: configure: 3 changes, 1 with restart; memcached 1\.\S+ is healthy \(version, from inside and over [\d.]+\)/,
    );
    expect(await workspace.guest('memcached', 'cat /etc/memcached.conf')).toContain('-m 32\n');
  });

  it('does nothing the second time, and its drift is repaired', async () => {
    expect(await expectConverged(workspace.configure())).toContain(`${ENVIRONMENT}: 0 changes; 3 round trips`);
    await workspace.guest('memcached', "sed -i 's/-m 32/-m 16/' /etc/memcached.conf");
    expect(await expectConverged(workspace.configure())).toContain('memcached: configure: 2 changes, 1 with restart');
    expect(await workspace.guest('memcached', 'cat /etc/memcached.conf')).toContain('-m 32\n');
  });

  it('with a setting that is none: refused by its own schema, before anything is touched', async () => {
    await workspace.edit('infra/memcached/container.json', (file) => Object.assign(file.settings as object, { memoryMegabytes: 'much' }));
    await expectRefused(workspace, () => workspace.configure('--allow-dirty'), {
      says: ['infra/memcached/container.json: settings.memoryMegabytes: found "much" (string); expected '],
      containers: ['memcached'],
    });
    await workspace.edit('infra/memcached/container.json', (file) => Object.assign(file.settings as object, { memoryMegabytes: 32 }));
    expect(await expectConverged(workspace.configure('--allow-dirty'))).toContain(`${ENVIRONMENT}: 0 changes`);
  });
});

describe('dirty work tree', () => {
  const stray = () => join(workspace.root, 'infra/notes.txt');

  it('outside `local` it is refused; --allow-dirty lets it, and so does a commit', async () => {
    await writeFile(stray(), 'not committed');
    await expectRefused(workspace, () => workspace.configure(), {
      says: [
        `the work tree has uncommitted changes (infra/notes.txt): ${ENVIRONMENT} would not be what the release says`,
        'next:    commit them, or --allow-dirty',
      ],
      containers: ['memcached'],
    });
    expect(await expectConverged(workspace.configure('--allow-dirty'))).toContain(`${ENVIRONMENT}: 0 changes`);
    await rm(stray());
    expect(await expectConverged(workspace.configure())).toContain(`${ENVIRONMENT}: 0 changes`);
  });
});

describe('--release=B with HEAD at A', () => {
  it('leaves marks and snapshots of B only', async () => {
    const a = await workspace.commit('A');
    const b = head;
    const before = (await instances())[0]?.snapshots?.map(({ name }) => name) ?? [];
    // B is the last completed release: without something to change, no restore point would be cut.
    await workspace.guest('memcached', "sed -i 's/-m 32/-m 16/' /etc/memcached.conf");
    const output = await expectConverged(workspace.configure(`--release=${b}`));
    expect(output).not.toContain(a.slice(0, 12));
    const [instance] = await instances();
    expect(instance?.config['user.mooring.release']).toBe(b);
    const cut = instance?.snapshots?.filter(({ name }) => !before.includes(name)) ?? [];
    expect(cut.map(({ name }) => name)).toEqual([expect.stringMatching(new RegExp(`^pre-deploy-${b}(-\\d+)?$`))]);
    expect(cut[0]?.config['user.mooring.set-release']).toBe(b);
    expect(JSON.stringify(instance)).not.toContain(a);
    expect((await expectConverged(workspace.nx(['run', 'zfs:log', '-c', ENVIRONMENT, '--json']))).includes(a)).toBe(false);
    const completed = await workspace.run('zfs', 'status', '--completed-release');
    expect(completed.code, completed.output).toBe(0);
    expect(completed.output.match(/^[0-9a-f]{40}$/gm)).toEqual([b]);
  });
});

describe('a container that is limited by "environments"', () => {
  const limited = 'infra/elsewhere/container.json';
  beforeAll(async () => {
    await cp(join(workspace.root, workspace.environmentFile), join(workspace.root, 'infra/environments/other.json'));
    await workspace.edit('infra/environments/other.json', (file) => Object.assign(file, { prefix: 'e2e-own-other-' }));
    await cp(join(workspace.root, 'infra/memcached'), join(workspace.root, 'infra/elsewhere'), { recursive: true });
    await workspace.edit(limited, (file) => Object.assign(file, { environments: ['other'] }));
    await workspace.commit('a container of another environment');
  });

  it('succeeds with "not part of" beside one that is part of it', async () => {
    const output = await expectConverged(workspace.configure());
    expect(output).toContain(`elsewhere: not part of ${ENVIRONMENT}`);
    expect(output).toContain('memcached: configure: no changes');
    expect((await instances()).map(({ name }) => name)).toEqual([workspace.instance('memcached')]);
  });

  it('alone: refused, a whole run of such is a wrong environment; once it is part of it, it would be created', async () => {
    await expectRefused(workspace, () => workspace.run('elsewhere', 'configure'), {
      says: [
        `no project of this run is part of ${ENVIRONMENT}: elsewhere (only other)`,
        'next:    another --configuration, or "environments" in container.json',
      ],
      containers: ['memcached'],
    });
    await workspace.edit(limited, (file) => Object.assign(file, { environments: ['other', ENVIRONMENT] }));
    expect(await expectConverged(workspace.run('elsewhere', 'plan'))).toContain(`instance ${workspace.instance('elsewhere')}`);
  });
});
