import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { FsTree, flushChanges } from 'nx/src/generators/tree';
import { beforeEach, describe, expect, it } from 'vitest';
import { KEY, proxmox } from '../../../../../test/app-files.ts';
import { emptyWorkspace, expectFormatted, json } from '../../../../../test/trees.ts';
import { appSchema } from '../../workspace/app.ts';
import { addApp } from './app.ts';
import app from './generator.ts';
import { appOptions } from './options.ts';

const FILE = 'infra/apps/pote/app.json';
const options = {
  name: 'pote',
  kind: 'python',
  repository: 'git@git.example.org:team/pote.git',
  vmid: '201,211',
  ip: '10.20.0.101/24,10.20.0.111/24',
  gateway: '10.20.0.1',
};

let tree: Tree;
beforeEach(() => {
  tree = emptyWorkspace();
  tree.delete('nx.json');
  tree.write('infra/environments/local.json', '{ "host": "local" }\n');
  for (const name of ['dev', 'qa']) tree.write(`infra/environments/${name}.json`, '{ "proxmox": {} }\n');
});

const run = (over: object = {}, on = tree) => addApp(on, appOptions.parse({ ...options, ...over })).lines.join('\n');

describe('an application', () => {
  it('has a guest in each environment that has guests; its file is valid and well formatted', () => {
    expect(run()).toMatchInlineSnapshot(`
      "infra/apps/pote/app.json: written
      infra/apps/pote/app.json: "start" is what the unit runs; migrations, jobs, a database: docs/apps.md
      What would be done: npx nx run pote:plan -c dev
      .secrets/dev.env (chmod 600): a value for GIT_DEPLOY_KEY
      .secrets/qa.env (chmod 600): a value for GIT_DEPLOY_KEY"
    `);
    expect(tree.read(FILE, 'utf-8')).toMatchInlineSnapshot(`
      "{
        "$schema": "../../../node_modules/nx-mooring/schemas/app.schema.json",
        "description": "pote: an application on Python",
        "kind": "python",
        "repository": "git@git.example.org:team/pote.git",
        "python": {
          "start": ["python", "-m", "pote"]
        },
        "deployKey": { "secret": "GIT_DEPLOY_KEY" },
        "environments": {
          "dev": {
            "name": "pote-dev",
            "vmid": 201,
            "ip": "10.20.0.101/24",
            "gateway": "10.20.0.1",
            "branch": "main"
          },
          "qa": {
            "name": "pote-qa",
            "vmid": 211,
            "ip": "10.20.0.111/24",
            "gateway": "10.20.0.1",
            "branch": "main"
          }
        }
      }
      "
    `);
    expect(appSchema.safeParse(json(tree, FILE))).toMatchObject({ success: true });
    expectFormatted(tree);
  });

  it('on Node, over HTTPS, in one environment, with numbers as the command line gives them', () => {
    run({
      kind: 'node',
      repository: 'https://git.example.org/team/shop.git',
      environments: 'qa',
      vmid: 211,
      ip: '10.20.0.111/24',
      frontend: true,
      needs: 'postgres,redis',
      branch: 'release/2',
    });
    expect(tree.read(FILE, 'utf-8')).toMatchInlineSnapshot(`
      "{
        "$schema": "../../../node_modules/nx-mooring/schemas/app.schema.json",
        "description": "pote: an application on Node",
        "kind": "node",
        "repository": "https://git.example.org/team/shop.git",
        "node": {
          "backend": {
            "start": ["node", "server.js"]
          },
          "frontend": {
            "start": ["node", "server.js"]
          }
        },
        "needs": ["postgres", "redis"],
        "environments": {
          "qa": {
            "name": "pote-qa",
            "vmid": 211,
            "ip": "10.20.0.111/24",
            "gateway": "10.20.0.1",
            "branch": "release/2"
          }
        }
      }
      "
    `);
    expect(appSchema.safeParse(json(tree, FILE))).toMatchObject({ success: true });
    expectFormatted(tree);
  });

  it('is left as it is by a second run', () => {
    run();
    tree.write(FILE, '{}');
    expect(run()).toBe(`${FILE} is there already: it was left as it is`);
    expect(tree.read(FILE, 'utf-8')).toBe('{}');
  });
});

it.each<[object, RegExp | string]>([
  [{ environments: 'dev,prdo' }, 'There is no environment "prdo"'],
  [{ environments: 'local' }, 'local has no "proxmox": there is nowhere for a guest'],
  [{ vmid: '201' }, 'vmid: found 1 values; expected 2, for dev, qa in this order'],
  [{ gateway: '' }, 'gateway: found 0 values; expected 2'],
  [{ vmid: '201,x' }, `${FILE}: environments.qa.vmid: found`],
  [{ vmid: '201,99' }, `${FILE}: environments.qa.vmid: found 99 (number); expected a whole number from 100 to 999999999`],
  [{ ip: '10.20.0.101,10.20.0.111/24' }, `${FILE}: environments.dev.ip: found`],
  [{ kind: 'ruby' }, /kind: found "ruby" \(string\); expected "node" or "python"/],
  [{ repository: 'pote' }, 'expected a git URL'],
  [{ repository: 'ext::sh -c id' }, 'expected a git URL'],
  [{ branch: '--upload-pack=x' }, 'expected the name of a branch'],
  [{ name: '../pote' }, 'expected a part of a host name'],
  [{ gitHostKeys: '/etc/x' }, `${FILE}: gitHostKeys[0]: found`],
])('refuses %o', async (over, message) => {
  await expect(app(tree, { ...options, ...over })).rejects.toThrow(message);
  expect(tree.exists(FILE)).toBe(false);
});

it('without an environment that has guests it says how to make one', async () => {
  for (const name of ['dev', 'qa']) tree.delete(`infra/environments/${name}.json`);
  await expect(app(tree, options)).rejects.toThrow(/nx g nx-mooring:environment dev --on=proxmox/);
});

describe('on the disk', () => {
  /** A workspace with an environment and the application, written. @returns what the generator says at last */
  async function leftOf(over: object): Promise<string> {
    const root = mkdtempSync(join(tmpdir(), 'mooring app '));
    try {
      for (const [file, content] of Object.entries({ 'nx.json': {}, 'infra/environments/dev.json': { proxmox } })) {
        mkdirSync(dirname(join(root, file)), { recursive: true });
        writeFileSync(join(root, file), JSON.stringify(content));
      }
      writeFileSync(join(root, 'infra/git.pub'), `${KEY}\n`);
      const disk = new FsTree(root, false);
      const { finish } = addApp(disk, appOptions.parse({ ...options, environments: 'dev', vmid: 201, ip: '10.20.0.101/24', ...over }));
      flushChanges(root, disk.listChanges());
      return (await finish()).join('\n');
    } finally {
      rmSync(root, { recursive: true });
    }
  }

  it('nothing is left to do where all options were given', async () => expect(await leftOf({ gitHostKeys: 'infra/git.pub' })).toBe(''));

  it('what the options did not give is told, with the field', async () => {
    expect(await leftOf({})).toMatch(/^Not complete yet:\n.*infra\/apps\/pote\/app\.json: gitHostKeys/);
    expect(await leftOf({ gitHostKeys: 'infra/git.pub', ip: '10.20.0.1/24' })).toMatch(/^Not complete yet:\n.*10\.20\.0\.1/);
  });
});

it('says how the deploy key gets its value, by where the environment keeps its secrets', () => {
  tree.write('infra/environments/qa.json', '{ "proxmox": {}, "secrets": { "provider": "age" } }\n');
  const said = run();
  expect(said).toContain('.secrets/dev.env (chmod 600): a value for GIT_DEPLOY_KEY');
  expect(said).toContain('npx nx g nx-mooring:secrets qa --action=add --name=GIT_DEPLOY_KEY');
});
