import { expect, it } from 'vitest';
import { Secret } from '../../engine/secret.ts';
import type { AppInEnvironment } from '../../workspace/app-target.ts';
import { appInventoryOf } from './ansible-guests.ts';

const target = (project: string, environment: string, last: number) =>
  ({
    project,
    root: `infra/apps/${project}`,
    description: 'x',
    guest: {
      name: `${project}-${environment}`,
      vmid: last,
      ip: `10.20.0.${last}/24`,
      branch: 'main',
      envVars: { LOG: 'info', KEY: new Secret('hunter2 hunter2') },
    },
    settings: { kind: 'node', repository: 'git@git.example.org:x.git', ports: { backend: 3001, frontend: 3000 } },
    environment: { name: environment, proxmox: { user: 'root', node: 'pve', url: 'https://pve:8006' } },
  }) as unknown as AppInEnvironment;

it('has groups for all applications, for each, and for each environment; no hyphen in their names, no secret anywhere', () => {
  const inventory = appInventoryOf([target('my-shop', 'dev', 101), target('my-shop', 'qa-2', 102), target('pote', 'dev', 103)], {
    root: '/w',
    infra: 'infra',
  });
  const text = JSON.stringify(inventory);
  const { _meta, ...groups } = JSON.parse(text);
  expect(groups).toEqual({
    all: { children: ['app_all'] },
    app_all: { children: ['app_my_shop_all', 'app_pote_all'] },
    app_my_shop_all: { children: ['app_my_shop_dev', 'app_my_shop_qa_2'] },
    app_pote_all: { children: ['app_pote_dev'] },
    app_my_shop_dev: { hosts: ['my-shop-dev'] },
    app_my_shop_qa_2: { hosts: ['my-shop-qa-2'] },
    app_pote_dev: { hosts: ['pote-dev'] },
  });
  expect(_meta.hostvars['my-shop-qa-2']).toMatchObject({
    ansible_host: '10.20.0.102',
    ansible_user: 'root',
    ansible_ssh_common_args: "-o UserKnownHostsFile='/w/infra/environments/qa-2.known_hosts' -o StrictHostKeyChecking=yes",
    app_env_vars: { LOG: 'info' },
    proxmox_vmid: 102,
  });
  expect(text).not.toContain('hunter2');
});

it('keeps apart guests of two installations that have one host name', () => {
  const [first, second] = [target('pote', 'dev', 103), target('pote', 'qa', 104)];
  const same = { ...second, guest: { ...second.guest, name: first.guest.name } };
  const { _meta, ...groups } = JSON.parse(JSON.stringify(appInventoryOf([first, same], { root: '/w', infra: 'infra' })));
  expect(groups).toMatchObject({ app_pote_dev: { hosts: ['pote-dev.dev'] }, app_pote_qa: { hosts: ['pote-dev.qa'] } });
  expect(_meta.hostvars).toMatchObject({ 'pote-dev.dev': { proxmox_vmid: 103 }, 'pote-dev.qa': { proxmox_vmid: 104 } });
});
