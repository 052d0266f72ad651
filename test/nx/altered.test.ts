import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { git, type Workspace } from '../e2e/workspace.ts';
import { copyRepository } from './copy.ts';

/* Whatever nx lays over our targets is refused before a task runs: nothing comes from the cache, and nothing is left out. */

let copy: Workspace;
beforeAll(async () => {
  copy = await copyRepository();
});
beforeEach(async () => {
  await git(copy.root, 'reset', '-q', '--hard');
  await git(copy.root, 'clean', '-q', '-fd', 'infra');
});
afterAll(() => rm(copy.root, { recursive: true, force: true }));

const defaults = (targetDefaults: object) => copy.edit('nx.json', (file) => Object.assign(file, { targetDefaults }));

async function says(args: readonly string[], words: string): Promise<void> {
  const { code, output } = await copy.nx([...args, '--output-style=static']);
  expect(code, output).toBe(1);
  expect(output).toContain(words);
}

describe('targetDefaults of nx.json', () => {
  it.each([
    ['run redis:verify -c local', 'verify'],
    ['run-many -t verify configure -c local', 'verify'],
    ['affected -t configure -c local --files=infra/redis/container.json', 'configure'],
    ['configure redis -c local', 'configure'],
    ['run --project=redis --target=verify --c=local', 'verify'],
    ['-c local run redis:verify', 'verify'],
  ])('that cache: nx %s is refused', async (line, target) => {
    await defaults({ verify: { cache: true }, configure: { cache: true } });
    await says(line.split(' '), `cache is changed by targetDefaults.${target} in nx.json`);
  });

  it('by the name of an executor, and by a pattern', async () => {
    await defaults({ 'nx-mooring:converge': { dependsOn: ['^build'] }, 'ver*': { options: { json: true } } });
    await says(['run', 'redis:configure:local'], 'dependsOn is changed by targetDefaults.nx-mooring:converge in nx.json');
    await says(['run', 'redis:verify:local'], 'redis:verify: options is changed by targetDefaults.ver* in nx.json');
  });

  it('that leave our projects out are none of ours, nor is a build before a step', async () => {
    await defaults({
      verify: [{ filter: { projects: ['!tag:mooring'] }, cache: true }],
      configure: [{ filter: { plugin: '@nx/js' }, cache: true }],
    });
    await copy.edit('nx.json', (file) =>
      Object.assign(file, { tasksRunnerOptions: { default: { options: { cacheableOperations: ['verify'] } } } }),
    );
    await writeFile(
      join(copy.root, 'infra/redis/project.json'),
      JSON.stringify({ targets: { configure: { dependsOn: ['...', '^build'] } } }),
    );
    // Neither has been asked for its secrets, had it been refused.
    await says(['run-many', '-t', 'verify', 'configure', '-p', 'redis', '-c', 'local'], 'REDIS_PASSWORD');
    const { output } = await copy.nx(['show', 'project', 'redis', '--json']);
    expect(JSON.parse(output).targets).toMatchObject({ verify: { cache: false }, configure: { cache: false } });
  });
});

it.each([
  ['project.json', { targets: { configure: { dependsOn: [] } } }, 'redis:configure: dependsOn is changed by infra/redis/project.json'],
  [
    'package.json',
    { name: 'redis', nx: { targets: { configure: { defaultConfiguration: 'local' } } } },
    'redis:configure: defaultConfiguration is changed by infra/redis/package.json',
  ],
  [
    'project.json',
    { targets: { configure: { executor: 'nx:run-commands', options: { command: 'true' } } } },
    'redis:configure: executor is changed by infra/redis/project.json',
  ],
])('%s beside container.json: %j', async (file, content, words) => {
  await copy.edit('package.json', ({ workspaces }) => (workspaces as string[]).push('infra/redis'));
  await writeFile(join(copy.root, 'infra/redis', file), JSON.stringify(content));
  await says(['run', 'redis:configure', '-c', 'local'], words);
});

it("a target of one's own that is made of an executor of ours comes from no cache either", async () => {
  const check = { executor: 'nx-mooring:verify', cache: true, configurations: { local: { environment: 'local' } } };
  await writeFile(join(copy.root, 'infra/redis/project.json'), JSON.stringify({ name: 'redis', targets: { check } }));
  await says(['run', 'redis:check', '-c', 'local'], 'redis:check has "cache": true, and nx would answer for the hosts from its cache');
});

it('a file that adds to a project without its name, so that nx loses the edges to it, is told', async () => {
  await writeFile(join(copy.root, 'infra/zfs/project.json'), JSON.stringify({ tags: ['storage'] }));
  await says(['run', 'redis:configure', '-c', 'local'], 'a file in infra/zfs that adds to the project without its "name"');
});
