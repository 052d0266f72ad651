import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAGES } from '../../tools/executors/src/engine/pages.ts';
import { expectConverged } from './expectations.ts';
import { type InstalledWorkspace, makeInstalledWorkspace } from './installed-workspace.ts';
import { fillInValkey } from './valkey.ts';
import { type Ended, ended, nxEnvironment, REPOSITORY, run } from './workspace.ts';

/* What a stranger has: the packed tarball in an empty Nx workspace, without this repository. */

const ENVIRONMENT = 'e2e-package';
const PACKAGE = join(REPOSITORY, 'tools/executors');

/** All that the tarball may hold, which is what `npm publish` sends: what runs, what editors and nx read, what people read. */
const NEEDED = [
  /^(package|executors|generators)\.json$/,
  /^(README\.md|LICENSE)$/,
  /^dist\/(?!.*\.test\.).+\.js$/,
  /^dist\/.+\.sh$/,
  /^dist\/(index|plugin|workspace\/files|(engine|secrets|services)\/[\w-]+)\.d\.ts$/,
  /^schemas\/\w+\.schema\.json$/,
  /^src\/(executors|generators)\/\w+\/schema\.json$/,
  /^docs\/[\w./-]+\.(md|yml|svg|png)$/,
  /^src\/generators\/\w+\/files\/[\w.-]+\.template$/,
];

/** How the TypeScript of a workspace may find the package's types: as Node does, and as bundlers do (what Nx writes into a new workspace). */
const RESOLUTIONS = [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const;

/** Two mistakes, which nothing would find if the types were not there. */
const WRONG = `import type { Command } from 'nx-mooring';
export const text: Command = { argv: 'redis-cli', effect: 'read' };
export const word: Command = { argv: ['redis-cli'], effect: 'look' };
`;

let folder: string;
let tarball: string;
let workspace: InstalledWorkspace;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-pack-'));
  await expectConverged(ended('npm', ['pack', '--pack-destination', folder], PACKAGE, nxEnvironment()));
  [tarball = ''] = await readdir(folder);
  workspace = await makeInstalledWorkspace(ENVIRONMENT, `nx-mooring@file:${join(folder, tarball)}`);
}, 600_000);
afterAll(async () => {
  await workspace?.remove();
  await rm(folder, { recursive: true, force: true });
});

const generate = (...args: string[]) => expectConverged(workspace.nx(['g', ...args]));
const text = (file: string) => readFile(join(workspace.root, file), 'utf8');

describe('the tarball', () => {
  it('holds what is needed, and nothing else', async () => {
    const files = (await run('tar', ['-tzf', join(folder, tarball)]))
      .split('\n')
      .filter(Boolean)
      .map((path) => path.replace('package/', ''));
    expect(files.filter((file) => !NEEDED.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const pattern of NEEDED) expect(files.filter((file) => pattern.test(file)).length, String(pattern)).toBeGreaterThan(0);
    for (const service of ['postgres', 'redis', 'rabbitmq', 'minio']) expect(files).toContain(`dist/services/${service}/service.js`);
    const programs = (await readdir(join(PACKAGE, 'src'), { recursive: true })).filter((file) => file.endsWith('.sh'));
    expect(files).toEqual(expect.arrayContaining(programs.map((file) => `dist/${file}`)));
    // What the last line of an error names.
    for (const page of Object.values(PAGES)) expect(files).toContain(page.split('#')[0]);
  });

  it('has the license of the repository', async () => {
    expect(await readFile(join(PACKAGE, 'LICENSE'), 'utf8')).toBe(await readFile(join(REPOSITORY, 'LICENSE'), 'utf8'));
  });
});

describe('in an empty workspace', () => {
  it('nx add has registered the plugin and made the first files; init again changes nothing', async () => {
    expect(JSON.parse(await text('nx.json')).plugins).toEqual([{ plugin: 'nx-mooring/plugin', options: { infra: 'infra' } }]);
    expect((await text('.gitignore')).split('\n')).toEqual(expect.arrayContaining(['.secrets/*', '!.secrets/example.env']));
    expect(await text('infra/environments/local.json')).toContain('"host": "local"');
    await workspace.commit('nx-mooring');
    await generate('nx-mooring:init');
    expect(await changed()).toBe('');
  });

  it('two containers are added, one of them of a service that nx-mooring does not know', async () => {
    await generate('nx-mooring:container', 'redis');
    expect(await generate('nx-mooring:container', 'valkey')).toContain('infra/valkey/service.ts: fill in the places marked FILL IN');
    expect((await text('.secrets/example.env')).match(/^[A-Z_]+=$/gm)).toEqual(['REDIS_PASSWORD=', 'VALKEY_PASSWORD=']);
    expect(JSON.parse(await expectConverged(workspace.nx(['show', 'projects', '--json']))).sort()).toEqual(['redis', 'valkey', 'zfs']);
    await workspace.commit('two containers');
    await generate('nx-mooring:container', 'valkey');
    expect(await changed()).toBe('');
  });

  it('what is not filled in yet is told by file and place', async () => {
    const { code, output } = await workspace.nx(['run', 'valkey:plan', '-c', 'local']);
    expect(code, output).toBe(1);
    expect(output).toContain('infra/valkey/service.ts: cannot be loaded: FILL IN 1 is still open: the Debian packages');
  });

  it('filled in as its comments say, it passes its own cases', async () => {
    const file = join(workspace.root, 'infra/valkey/service.ts');
    await writeFile(file, await fillInValkey(await readFile(file, 'utf8')));
    const test = 'infra/valkey/service.test.ts';
    expect(await expectConverged(ended(process.execPath, ['--test', test], workspace.root, nxEnvironment()))).toContain('pass 7');
  });

  it.each(RESOLUTIONS)('it has the right types, and what is wrong in another file is found by them (%s, %s)', async (...resolution) => {
    const wrong = 'infra/valkey/wrong.ts';
    await writeFile(join(workspace.root, wrong), WRONG);
    const { code, output } = await types(['infra/valkey/service.test.ts', wrong], resolution);
    await rm(join(workspace.root, wrong));
    expect(code, output).toBe(2);
    expect(output.match(/^\S+(?=,\d+\): error)/gm)).toEqual([`${wrong}(2`, `${wrong}(3`]);
  });
});

describe('on the lab', () => {
  beforeAll(async () => {
    // The lab has no Incus of the stranger's: the environment is told where its containers live, under a name of the test's own.
    await rename(join(workspace.root, 'infra/environments/local.json'), join(workspace.root, workspace.environmentFile));
    await workspace.useLab();
    await workspace.secrets({ REDIS_PASSWORD: 'redis-of-a-stranger', VALKEY_PASSWORD: 'valkey-of-a-stranger' });
    await workspace.commit('the lab');
  });

  it('preflight and plan say what there is and what would be done', async () => {
    expect(await expectConverged(workspace.run('zfs', 'preflight'))).toContain('preflight: local: Incus ');
    const output = await expectConverged(workspace.nx(['run-many', '-t', 'plan', '-c', ENVIRONMENT, '--output-style=static']));
    for (const project of ['redis', 'valkey']) expect(output).toContain(`instance ${workspace.instance(project)}`);
  });

  it('configure creates, installs, configures and verifies both', async () => {
    const output = await expectConverged(workspace.configure());
    expect(output).toMatch(/redis: configure: .*redis \d\S+ is healthy \(AUTH and PING, from inside and over [\d.]+\)/);
    expect(output).toMatch(/valkey: configure: .*valkey \d\S+ is healthy \(AUTH and PING, from inside and over [\d.]+\)/);
    expect(output).not.toContain('of-a-stranger');
  });

  it('the second time it changes nothing, and warns of nothing', async () => {
    const output = await expectConverged(workspace.configure());
    expect(output).toContain(`${ENVIRONMENT}: 0 changes; 3 round trips`);
    expect(output).not.toMatch(/warning/i);
  });

  it("drift of one's own service is repaired, and a run that ended between writing and restarting is seen", async () => {
    await workspace.guest('valkey', "sed -i 's/^appendonly yes/appendonly no/' /etc/valkey/valkey.conf");
    expect(await expectConverged(workspace.configure())).toContain('valkey: configure: 2 changes, 1 with restart');
    await workspace.guest('valkey', 'chmod 644 /etc/valkey/valkey.conf');
    expect(await expectConverged(workspace.configure())).toContain('valkey: configure: 1 change;');
    await workspace.guest('valkey', "touch -d '+2 seconds' /etc/valkey/valkey.conf");
    expect(await expectConverged(workspace.run('valkey', 'plan'))).toContain('it runs since before /etc/valkey/valkey.conf changed');
  });
});

/** Checks the types of files of the workspace, and with them all that the package has: `skipLibCheck` is off. */
function types(files: readonly string[], [module, resolution]: readonly [string, string]): Promise<Ended> {
  const tsc = ['--noEmit', '--strict', '--noUnusedLocals', '--pretty', 'false', '--target', 'es2024', '--allowImportingTsExtensions'];
  const found = [
    '--module',
    module,
    '--moduleResolution',
    resolution,
    '--typeRoots',
    join(REPOSITORY, 'node_modules/@types'),
    '--types',
    'node',
  ];
  return ended(join(REPOSITORY, 'node_modules/.bin/tsc'), [...tsc, ...found, ...files], workspace.root);
}

/** What git sees changed. */
function changed(): Promise<string> {
  return run('git', ['-C', workspace.root, 'status', '--porcelain']);
}
