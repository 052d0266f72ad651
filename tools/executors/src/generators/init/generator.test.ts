import { beforeEach, describe, expect, it, vi } from 'vitest';
import { emptyWorkspace, expectFormatted, json, written } from '../../../../../test/trees.ts';
import init from './generator.ts';

let tree: ReturnType<typeof emptyWorkspace>;
beforeEach(() => {
  tree = emptyWorkspace();
});

describe('an empty workspace', () => {
  it('gets the plugin, what git must not see, a local environment and the storage project', async () => {
    await init(tree, {});
    const { 'nx.json': nxJson, ...files } = written(tree);
    expect(JSON.parse(nxJson ?? '')).toMatchObject({
      tui: { enabled: false },
      plugins: [{ plugin: 'nx-mooring/plugin', options: { infra: 'infra' } }],
      targetDefaults: { build: { cache: true } },
    });
    expect(files).toMatchInlineSnapshot(`
      {
        ".gitignore": ".nx/
      .mooring/
      .secrets/*
      !.secrets/example.env
      ",
        ".secrets/example.env": "# The names of the secrets of an environment. This file is the one here that git tracks; it holds no values.
      # The values are in .secrets/<environment>.env, which only its owner can read (chmod 600).
      ",
        "infra/environments/local.json": "{
        "$schema": "../../node_modules/nx-mooring/schemas/environment.schema.json",
        "description": "This machine",
        "host": "local",
        "incus": {
          "project": "default",
          "profiles": ["default"],
          "image": "debian/12"
        },
        "prefix": "source-local-",
        "network": "incusbr0",
        "retention": 5
      }
      ",
        "infra/zfs/storage.json": "{
        "$schema": "../../node_modules/nx-mooring/schemas/storage.schema.json",
        "description": "The storage host: preflight, the snapshot set of a deploy, status, inventory and audit log"
      }
      ",
      }
    `);
  });

  it('says what to do next, once the files are there', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => {});
    const done = await init(tree, {});
    expect(said).not.toHaveBeenCalled();
    await done();
    expect(said.mock.calls.join('\n')).toContain('npx nx run zfs:preflight -c local');
  });

  it('takes the options into the environment', async () => {
    const options = { infra: 'deploy', host: 'box', project: 'shop', profiles: 'data,net', image: 'base', network: 'br0', prefix: 's-' };
    await init(tree, options);
    expect(json(tree, 'deploy/environments/local.json')).toMatchObject({
      host: 'box',
      incus: { project: 'shop', profiles: ['data', 'net'], image: 'base' },
      network: 'br0',
      prefix: 's-',
    });
    expect(tree.exists('deploy/zfs/storage.json')).toBe(true);
    expect(tree.exists('infra')).toBe(false);
  });

  it('gets well formatted files, without a formatter of its own', async () => {
    await init(tree, { profiles: 'a-profile-with-a-long-name,another-profile-with-a-long-name,one-more-profile' });
    expectFormatted(tree);
  });
});

describe('a workspace that has something already', () => {
  it('a second time nothing changes', async () => {
    await init(tree, {});
    const before = written(tree);
    await init(tree, { host: 'another', image: 'another' });
    expect(written(tree)).toEqual(before);
  });

  it('keeps its plugins, its decision on the terminal UI and its ignored files', async () => {
    tree.write('nx.json', JSON.stringify({ tui: { enabled: true }, plugins: ['@nx/vite/plugin'] }));
    tree.write('.gitignore', 'dist\n.nx/cache\n.mooring');
    await init(tree, {});
    expect(json(tree, 'nx.json')).toMatchObject({
      tui: { enabled: true },
      plugins: ['@nx/vite/plugin', { plugin: 'nx-mooring/plugin' }],
    });
    expect(tree.read('.gitignore', 'utf-8')).toBe('dist\n.nx/cache\n.mooring\n\n.secrets/*\n!.secrets/example.env\n');
  });

  it('the exception for example.env comes after the rule, also where the rule was missing', async () => {
    tree.write('.gitignore', '!.secrets/example.env\n');
    await init(tree, {});
    expect(tree.read('.gitignore', 'utf-8')).toMatch(/\n\.secrets\/\*\n!\.secrets\/example\.env\n$/);
  });

  it('with environments gets no other; with a storage project elsewhere no second one', async () => {
    tree.write('infra/environments/staging.json', '{}');
    tree.write('infra/storage/storage.json', '{"description": "x"}');
    await init(tree, {});
    expect(tree.children('infra/environments')).toEqual(['staging.json']);
    expect(tree.exists('infra/zfs')).toBe(false);
  });
});

describe('what is refused, and nothing is written', () => {
  it.each([
    ['an unknown option', { hots: 'local' }, 'nx-mooring:init options: --hots: unknown option; did you mean --host?'],
    [
      'a folder outside',
      { infra: '../infra' },
      'nx-mooring:init options: --infra: found "../infra" (string); expected a path inside the workspace',
    ],
    [
      'a prefix that is no name',
      { prefix: 'Shop' },
      'infra/environments/local.json: prefix: found "Shop" (string); expected lower-case letters',
    ],
  ])('%s', async (_, options, message) => {
    await expect(init(tree, options)).rejects.toThrow(message);
  });

  it('another infra folder than the one of nx.json', async () => {
    await init(tree, {});
    await expect(init(tree, { infra: 'deploy' })).rejects.toThrow('nx.json has the infra folder infra, and --infra=deploy is another');
  });
});
