import type { Tree } from '@nx/devkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptyWorkspace, expectFormatted, json } from '../../../../../test/trees.ts';
import { ProblemsError } from '../../engine/errors.ts';
import { appEnvironmentSchema, environmentSchema } from '../../workspace/environment.ts';
import { addEnvironment } from './environment.ts';
import environment from './generator.ts';
import { environmentOptions } from './options.ts';

const FILE = 'infra/environments/staging.json';
const proxmox = { url: 'https://pve.example.org:8006', tokenId: 'mooring@pve!deploy', ca: 'infra/pve-root-ca.pem' };

let tree: Tree;
beforeEach(() => {
  tree = emptyWorkspace();
  tree.delete('nx.json');
});

const run = (options: object) => addEnvironment(tree, environmentOptions.parse({ name: 'staging', ...options })).lines.join('\n');

describe('an environment of containers', () => {
  it('is valid, well formatted, and has the defaults of a new Incus', () => {
    run({});
    expect(tree.read(FILE, 'utf-8')).toMatchInlineSnapshot(`
      "{
        "$schema": "../../node_modules/nx-mooring/schemas/environment.schema.json",
        "host": "staging",
        "incus": {
          "project": "default",
          "profiles": ["default"],
          "image": "debian/12"
        },
        "prefix": "staging-",
        "network": "incusbr0",
        "retention": 5
      }
      "
    `);
    expect(environmentSchema.safeParse(json(tree, FILE))).toMatchObject({ success: true });
    expectFormatted(tree);
  });

  it('is as the options say', () => {
    run({ host: 'veza-staging', project: 'veza', profiles: 'a,b', image: 'base', network: 'net0', prefix: 'veza-', description: 'Ours' });
    expect(json(tree, FILE)).toMatchObject({
      description: 'Ours',
      host: 'veza-staging',
      incus: { project: 'veza', profiles: ['a', 'b'], image: 'base' },
      prefix: 'veza-',
      network: 'net0',
    });
  });

  it('says what preflight will want', () => {
    tree.write('infra/storage/storage.json', '{"name": "store"}');
    expect(run({ host: 'veza-staging', project: 'veza', profiles: 'a,b' })).toMatchInlineSnapshot(`
      "infra/environments/staging.json: written
      SSH: ssh veza-staging true   # must work without a question
      Incus project: incus project create veza
      Profile, with the root disk and the network card: incus --project veza profile show a
      Profile, with the root disk and the network card: incus --project veza profile show b
      Image: incus --project veza image info debian/12   # or: incus --project veza image copy images:debian/12 local: --alias debian/12
      Network: incus network show incusbr0
      What is missing of it: npx nx run store:preflight -c staging
      Secrets: in .secrets/staging.env (chmod 600), or encrypted in the repository: npx nx g nx-mooring:secrets staging --action=init"
    `);
  });
});

describe('an environment of applications', () => {
  it('is valid and well formatted, and no container is part of it', () => {
    expect(run({ on: 'proxmox', ...proxmox })).toMatchInlineSnapshot(`
      "infra/environments/staging.json: written
      Proxmox: the role and the token with the smallest rights: docs/proxmox.md. The secret of the token is PROXMOX_TOKEN_SECRET
      CA: /etc/pve/pve-root-ca.pem of the node, as infra/pve-root-ca.pem
      Keys: "authorizedKeys" in "proxmox" of infra/environments/staging.json: who may log in to the guests
      An application: npx nx g nx-mooring:app pote --environments=staging
      Secrets: in .secrets/staging.env (chmod 600), or encrypted in the repository: npx nx g nx-mooring:secrets staging --action=init"
    `);
    expect(tree.read(FILE, 'utf-8')).toMatchInlineSnapshot(`
      "{
        "$schema": "../../node_modules/nx-mooring/schemas/environment.schema.json",
        "proxmox": {
          "url": "https://pve.example.org:8006",
          "tokenId": "mooring@pve!deploy",
          "tokenSecret": { "secret": "PROXMOX_TOKEN_SECRET" },
          "ca": "infra/pve-root-ca.pem"
        }
      }
      "
    `);
    expect(appEnvironmentSchema.safeParse(json(tree, FILE))).toMatchObject({ success: true });
    expectFormatted(tree);
  });

  it('may be one of containers too', () => {
    run({ on: 'both', ...proxmox, authorizedKeys: 'infra/team.pub' });
    expect(environmentSchema.safeParse(json(tree, FILE))).toMatchObject({
      success: true,
      data: { prefix: 'staging-', proxmox: { authorizedKeys: ['infra/team.pub'], tokenSecret: { secret: 'PROXMOX_TOKEN_SECRET' } } },
    });
  });

  it('is refused without what Proxmox needs, all of it at once', () => {
    expect(() => run({ on: 'both' })).toThrow('needs --url, --token-id, --fingerprint or --ca');
    expect(tree.exists(FILE)).toBe(false);
  });
});

it('a second run, or one with other options, leaves the file as it is', () => {
  run({});
  tree.write(FILE, `${tree.read(FILE, 'utf-8')?.replace('"host": "staging"', '"host": "another"')}`);
  const before = tree.read(FILE, 'utf-8');
  expect(run({ host: 'third' })).toBe(`${FILE} is there already: it was left as it is`);
  expect(tree.read(FILE, 'utf-8')).toBe(before);
});

it('a folder of another name is heeded', () => {
  tree.write('nx.json', '{"plugins": [{"plugin": "nx-mooring/plugin", "options": {"infra": "deploy/infra"}}]}');
  run({});
  expect(json(tree, 'deploy/infra/environments/staging.json').$schema).toBe(
    '../../../node_modules/nx-mooring/schemas/environment.schema.json',
  );
});

it.each([
  [{ name: 'Staging' }, /name: found "Staging" \(string\); expected a part of a host name/],
  [{ host: '-oProxyCommand=x' }, /host: found .*; expected "local" or a host alias/],
  [{ prefix: 'Veza-' }, /infra\/environments\/staging\.json: prefix: found "Veza-"/],
  [{ on: 'proxmox', ...proxmox, url: 'http://pve' }, /proxmox\.url: found .*; expected an https address/],
  [{ on: 'proxmox', ...proxmox, fingerprint: 'AB' }, /proxmox\.fingerprint: found/],
  [{ hots: 'x' }, /--hots: unknown option; did you mean --host\?/],
])('refuses %o', async (options, message) => {
  await expect(environment(tree, { name: 'staging', ...options })).rejects.toThrow(message);
  expect(tree.exists(FILE)).toBe(false);
});

it('tells all problems of the options at once', () => {
  const attempt = () => run({ on: 'proxmox', ...proxmox, url: 'x', tokenId: 'y' });
  expect(attempt).toThrow(ProblemsError);
});
