import { describe, expect, it } from 'vitest';
import { guest, KEY, pote, proxmox, shop } from '../../../../test/app-files.ts';
import { workspaceFolders } from '../../../../test/workspace-folders.ts';
import { showError } from '../engine/errors.ts';
import { openAppRun } from '../shared/app/run.ts';
import { inventoryApps } from '../verbs/inventory/app.ts';
import { worldOf } from '../world/index.ts';
import { appsOf } from './app-target.ts';
import { containersOf, environmentOf } from './load.ts';

const loadWorkspace = (root: string) => worldOf(root).files.load();

const good: Record<string, unknown> = {
  'nx.json': {},
  'infra/environments/dev.json': { proxmox },
  'infra/environments/qa.json': { proxmox },
  'infra/apps/pote/app.json': pote,
  'infra/apps/shop/app.json': shop,
};

const workspace = workspaceFolders(good);

async function problems(files: Record<string, unknown>): Promise<string> {
  return loadWorkspace(workspace(files)).then(() => 'no problem', showError);
}

/** pote with other fields of its guest in dev. */
const withGuest = (fields: Record<string, unknown>) => ({
  'infra/apps/pote/app.json': { ...pote, environments: { dev: { ...guest, ...fields } } },
});

describe('a workspace of applications only', () => {
  it('needs no storage project, and gives each application in its environments', async () => {
    const loaded = await loadWorkspace(workspace());
    expect(loaded.storage).toBeUndefined();
    expect(containersOf(loaded, 'dev')).toEqual([]);
    expect(appsOf(loaded.apps, environmentOf(loaded, 'qa'))).toEqual([]);
    const apps = appsOf(loaded.apps, environmentOf(loaded, 'dev'));
    expect(apps.map(({ project }) => project)).toEqual(['pote', 'shop']);
    expect(apps[0]).toMatchObject({
      root: 'infra/apps/pote',
      description: 'Notes',
      guest: { vmid: 201, start: true, firewall: true },
      settings: { name: 'pote', environment: 'dev', branch: 'main', ports: { backend: 3001, frontend: 3000 }, authorizedKeys: [KEY] },
      environment: { name: 'dev', proxmox: { node: 'pve', user: 'root' } },
    });
  });

  it('takes what an environment has otherwise', async () => {
    const qa = {
      proxmox,
      apps: { pote: { health: { path: '/healthz' }, repository: 'git@other:pote.git', gitHostKeys: ['.lab/git.pub'] } },
    };
    const twice = { ...pote, environments: { dev: guest, qa: { ...guest, name: 'pote-qa', vmid: 301, ip: '10.20.0.201/24' } } };
    const loaded = await loadWorkspace(workspace({ 'infra/environments/qa.json': qa, 'infra/apps/pote/app.json': twice }));
    expect(appsOf(loaded.apps, environmentOf(loaded, 'qa'))[0]?.settings).toMatchObject({
      repository: 'git@other:pote.git',
      health: { path: '/healthz', timeoutSeconds: 60 },
      gitHostKeys: ['.lab/git.pub'],
    });
  });
});

it('an application is looked at beside a container with a mistake, also where it needs that one; a deploy is refused', async () => {
  const root = workspace({
    'infra/zfs/storage.json': { description: 'Storage' },
    'infra/redis/container.json': '{',
    'infra/apps/pote/app.json': { ...pote, needs: ['redis'] },
  });
  const request = {
    root,
    environment: 'dev',
    world: worldOf(root),
    projects: ['pote'],
    signal: new AbortController().signal,
    print: () => {},
  };
  const { success, data } = await inventoryApps({ ...request, options: { all: false }, ask: undefined, preview: () => {} });
  expect(success).toBe(true);
  expect(Object.keys((data._meta as { hostvars: object }).hostvars)).toEqual([guest.name]);
  const run = { ...request, runId: 'none' };
  // What comes after the files: the secret of the API's token.
  await expect(openAppRun({ ...run, looks: true })).rejects.toThrow('the secrets of dev are not complete');
  await expect(openAppRun(run)).rejects.toThrow('infra/redis/container.json: not valid JSON');
});

describe('addresses', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an address twice, in two applications', withGuest({ ip: '10.20.0.102/24' })],
    [
      'an address twice, in two environments of one application',
      { 'infra/apps/pote/app.json': { ...pote, environments: { dev: guest, qa: { ...guest, name: 'pote-qa', vmid: 301 } } } },
    ],
    ['an address twice, with another length of its network', withGuest({ ip: '10.20.0.102/16' })],
    ["the gateway's address", withGuest({ ip: '10.20.0.1/24' })],
    ["another guest's gateway", withGuest({ ip: '10.20.0.1/24', gateway: '10.20.0.2' })],
    ["the network's address", withGuest({ ip: '10.20.0.0/24' })],
    ['the broadcast address', withGuest({ ip: '10.20.0.127/25' })],
    ['a gateway outside', withGuest({ gateway: '10.20.1.1' })],
    ['a gateway that is the broadcast address', withGuest({ gateway: '10.20.0.255' })],
    ['a number twice', withGuest({ vmid: 202 })],
    ['a host name twice', withGuest({ name: 'shop-dev' })],
  ])('%s is refused with both places', async (_, files) => {
    expect(await problems(files)).toMatchSnapshot();
  });

  describe('of two Proxmox installations', () => {
    const other = { ...proxmox, url: 'https://other.example.org:8006', fingerprint: Array(32).fill('CD').join(':') };
    /** The same number, address, gateway and host name in both. */
    const twice = { ...pote, environments: { dev: guest, qa: guest } };
    const both = (qa: object, dev: object = {}) => ({
      'infra/environments/dev.json': { proxmox: { ...proxmox, ...dev } },
      'infra/environments/qa.json': { proxmox: { ...other, ...qa } },
      'infra/apps/pote/app.json': twice,
    });

    it('may be the same', async () => {
      expect(await problems(both({}))).toBe('no problem');
      expect(
        await problems({
          ...both({}),
          ...{ 'infra/apps/pote/app.json': { ...pote, environments: { qa: { ...guest, ip: '10.20.0.1/24', gateway: '10.20.0.2' } } } },
        }),
      ).toBe('no problem');
    });

    it.each([
      ['one URL, with and without what may be left out', { url: 'https://PVE.example.org:8006/' }, {}],
      ['port 443, given and left out', { url: 'https://a.example.org:443' }, { url: 'https://a.example.org' }],
      ['one certificate under two URLs', { fingerprint: proxmox.fingerprint.toLowerCase() }, {}],
    ])('are one by %s: refused', async (_, qa, dev) => {
      const text = await problems(both(qa, dev));
      for (const [field, value] of [
        ['ip', '10.20.0.101'],
        ['vmid', '201'],
        ['name', 'pote-dev'],
      ])
        expect(text).toContain(`environments.qa.${field}: ${value} is also infra/apps/pote/app.json: environments.dev.${field}`);
    });

    it('are one through a third environment that has what both have', async () => {
      const files = both({});
      const third = { proxmox: { ...other, fingerprint: proxmox.fingerprint } };
      const shopOfThird = { ...shop, environments: { test: { ...shop.environments.dev } } };
      const text = await problems({ ...files, 'infra/environments/test.json': third, 'infra/apps/shop/app.json': shopOfThird });
      expect(text).toContain('environments.qa.ip: 10.20.0.101 is also infra/apps/pote/app.json: environments.dev.ip');
    });

    it('cannot share a file of host keys for one address', async () => {
      const text = await problems(both({ knownHosts: './.lab/known_hosts' }, { knownHosts: '.lab/known_hosts' }));
      expect(text).toContain(
        'environments.qa.ip: 10.20.0.101 is also infra/apps/pote/app.json: environments.dev.ip, on another Proxmox, and ./.lab/known_hosts keeps the host keys of both',
      );
      expect(await problems(both({ knownHosts: '.lab/qa' }, { knownHosts: '.lab/known_hosts' }))).toBe('no problem');
    });
  });
});

describe('what is wrong is told all at once', () => {
  it('in the fields of a guest', async () => {
    const wrong = {
      name: 'Pote_Dev',
      vmid: 99,
      ip: '10.20.0.101',
      gateway: 'gw',
      branch: '--upload-pack=x',
      envVars: { '1X': 'a', PORT: '5', OK: 5, FINE: 'quotes " \n % $ #' },
      memory: '2G',
      tags: ['A b'],
      bridge: 'a,b=c',
      features: { nestign: true },
      colour: 'red',
    };
    expect(await problems(withGuest(wrong))).toMatchSnapshot();
  });

  it('in the connection to Proxmox, without showing what may be a secret', async () => {
    const text = await problems({
      'infra/environments/dev.json': {
        proxmox: { url: 'http://pve/api2', tokenId: 'root', tokenSecret: 'hunter2', fingerprint: 'AB:CD' },
      },
      'infra/environments/qa.json': { proxmox: { ...proxmox, ca: 'infra/ca.pem' } },
    });
    expect(text).toMatchSnapshot();
    expect(text).not.toContain('hunter2');
  });

  it('in what only the whole workspace shows', async () => {
    expect(
      await problems({
        'infra/environments/qa.json': { proxmox, apps: { potte: {}, shop: { kind: 'ruby' } } },
        'infra/apps/pote/app.json': {
          ...pote,
          needs: ['postgres'],
          node: { backend: { start: ['node'] } },
          environments: { dev: guest, prdo: { ...guest, name: 'x', vmid: 5000, ip: '10.20.0.9/24' } },
        },
        'infra/apps/shop/app.json': {
          ...shop,
          ports: { backend: 3000 },
          environments: { qa: { ...guest, name: 'shop-qa', vmid: 302, ip: '10.20.0.202/24' } },
        },
      }),
    ).toMatchSnapshot();
  });
});
