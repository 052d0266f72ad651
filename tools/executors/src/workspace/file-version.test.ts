import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { guest, pote, proxmox } from '../../../../test/app-files.ts';
import { showError } from '../engine/errors.ts';
import { TOOL } from '../engine/version.ts';
import { inferProjects } from '../plugin/infer.ts';
import { worldOf } from '../world/index.ts';

const loadWorkspace = (root: string) => worldOf(root).files.load();

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const ENVIRONMENT = 'infra/environments/local.json';
const STORAGE = 'infra/zfs/storage.json';
const CONTAINER = 'infra/redis/container.json';
const APP = 'infra/apps/pote/app.json';
const FILES: Record<string, Record<string, unknown>> = {
  'nx.json': {},
  [ENVIRONMENT]: {
    host: 'local',
    incus: { project: 'default', profiles: ['veza-data'], image: 'debian/12' },
    prefix: 'veza-local-',
    network: 'veza-net0',
    retention: 5,
    proxmox,
    containers: { redis: { limits: { memory: '1GiB' } } },
  },
  [STORAGE]: { description: 'Storage' },
  [CONTAINER]: { description: 'Sessions', service: 'redis', settings: { password: { secret: 'P' }, maxmemoryPolicy: 'noeviction' } },
  [APP]: { ...pote, needs: ['redis'], environments: { local: guest } },
};

/** The workspace with more in the named files. */
function workspace(more: Record<string, Record<string, unknown>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mooring-version-'));
  folders.push(root);
  for (const [file, content] of Object.entries(FILES)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), JSON.stringify({ ...content, ...more[file] }));
  }
  return root;
}

const problems = (more: Record<string, Record<string, unknown>>) => loadWorkspace(workspace(more)).then(() => 'none', showError);

describe.each([ENVIRONMENT, STORAGE, CONTAINER, APP])('%s', (file) => {
  it('may name the version that is read', async () => {
    expect(await problems({ [file]: { version: 1 } })).toBe('none');
  });

  it('of a newer version says which package reads it, and nothing of fields that are not known here', async () => {
    const said = await problems({ [file]: { version: 3, fields: 'of a later time', description: { text: 'x' } } });
    expect(said).toContain(`${file}: version: the file is of version 3; this is ${TOOL}, which reads version 1\n`);
    expect(said).toContain('next:    update the package: npm i -D nx-mooring@latest');
    expect(said).toContain(`git log -- ${file}`);
    expect(said).not.toMatch(/problems|unknown field|there is no/);
  });

  it('of an older version says what to bring it to, and where that is told', async () => {
    const said = await problems({ [file]: { version: 0 } });
    expect(said).toContain(`${file}: version: the file is of version 0; this is ${TOOL}, which reads version 1\n`);
    expect(said).toContain('then write "version": 1');
    expect(said).toContain('docs/settings.md#versions-of-the-files');
  });

  it.each([['"1"'], ['1.5'], ['null']])('whose version is %s is told what may stand there', async (written) => {
    const said = await problems({ [file]: { version: JSON.parse(written) } });
    expect(said).toContain(`${file}: version: found ${written} (`);
    expect(said).toContain('next:    "version": 1, a number, or leave the field out');
  });
});

it('tells of all files that cannot be read, and of no other problem', async () => {
  const said = await problems({ [CONTAINER]: { version: 2 }, [STORAGE]: { version: 2 }, [ENVIRONMENT]: { retention: 'many' } });
  expect(said).toMatch(/2 problems\n1\. .*version 2.*\n.*\n2\. .*version 2/);
});

it('is not read for the graph: nothing of a form that is not known is guessed', async () => {
  const root = workspace({ [CONTAINER]: { version: 2, name: 'cache', description: 'of another form' } });
  const nodes = await inferProjects([STORAGE, CONTAINER], undefined, { workspaceRoot: root, nxJsonConfiguration: {} });
  const [project] = nodes.flatMap(([file, { projects = {} }]) => (file === CONTAINER ? Object.values(projects) : []));
  expect(project).toMatchObject({ name: 'redis', metadata: { description: '' } });
});
