import { describe, expect, it } from 'vitest';
import { MINIMAL_ACL } from './double/state.ts';
import { doubleOf, plan, problems, provision, runOf } from './provisioning.ts';
import { TOKEN_ID } from './testing.ts';

describe('a bridge that is a virtual network', () => {
  const { '/sdn/zones/localnetwork/vmbr0': use, ...without } = MINIMAL_ACL;
  const state = {
    vnets: [
      { vnet: 'apps', zone: 'office' },
      { vnet: 'other', zone: 'lab' },
    ],
  };
  const onVnet = { guest: { bridge: 'apps' } };
  const withAcl = (acl: Record<string, string[]>, more: object = {}) =>
    doubleOf({ state: { ...state, ...more }, acl: { ...without, ...acl } });

  it.each<[string, Record<string, string[]>]>([
    ['it alone', { '/sdn/zones/office/apps': ['SDN.Use'] }],
    ['its zone', { '/sdn/zones/office': ['SDN.Use'] }],
    ['all zones', { '/sdn/zones': ['SDN.Use'] }],
    ['all zones, which are told too', { '/sdn/zones': ['SDN.Use', 'SDN.Audit'] }],
  ])('is used by a token that may use %s', async (_, acl) => {
    const double = await withAcl(acl);
    const { guest: made } = await provision(double, await runOf(double, onVnet));
    expect(made.config.options.net0).toContain('bridge=apps');
    expect((await provision(double, await runOf(double, onVnet))).changes).toEqual([]);
  });

  it.each<[string, Record<string, string[]>]>([
    ['it may be seen', { '/sdn/zones/office/apps': ['SDN.Audit'] }],
    [
      'a bridge of the node has that name in the rights',
      { '/sdn/zones/office/apps': ['SDN.Audit'], '/sdn/zones/localnetwork/apps': ['SDN.Use'] },
    ],
    ['only a VLAN in it may be used', { '/sdn/zones/office/apps/20': ['SDN.Use'] }],
  ])('the right is missing in its own zone where %s, and nothing is made', async (_, acl) => {
    const double = await withAcl(acl);
    const text = problems(await plan(await runOf(double, onVnet)));
    expect(text).toContain('lacks SDN.Use on /sdn/zones/office/apps (to connect it to the bridge)');
    expect(text).toContain(`pveum acl modify /sdn/zones/office/apps --tokens '${TOKEN_ID}' --roles MooringBridge`);
    expect(double.state.guests).toEqual([]);
  });

  it('one that may not even be seen: what it is, is not known, and that is said', async () => {
    const text = problems(await plan(await runOf(await withAcl({}), onVnet)));
    expect(text).toContain('pve has no bridge apps (or the token may not see it)');
    expect(text).toContain(
      'lacks SDN.Use on /sdn/zones/localnetwork/apps (to connect it to the bridge; if that is a VNet, in its own zone)',
    );
  });

  it('a guest is moved to one, and its VLAN is kept', async () => {
    const double = await withAcl({ '/sdn/zones/localnetwork/vmbr0': use ?? [], '/sdn/zones/office/apps': ['SDN.Audit'] });
    await provision(double, await runOf(double));
    const [made] = double.state.guests;
    if (made !== undefined) made.options.net0 += ',tag=20';
    expect(problems(await plan(await runOf(double, onVnet)))).toContain('lacks SDN.Use on /sdn/zones/office/apps/20');
    Object.assign(double.state.tokens[TOKEN_ID] ?? {}, { acl: { ...without, '/sdn/zones/office/apps/20': ['SDN.Use'] } });
    const { guest: moved } = await provision(double, await runOf(double, onVnet));
    expect(moved.config.options.net0).toMatch(/bridge=apps,.*tag=20/);
  });

  it('what it is, is asked only where it decides', async () => {
    const double = await doubleOf({ state });
    await provision(double, await runOf(double));
    double.state.calls.length = 0;
    expect((await provision(double, await runOf(double))).changes).toEqual([]);
    expect(double.state.calls.filter((call) => /network|sdn|version/.test(call))).toEqual([]);
  });

  it('Proxmox VE 7 knows no right of that name', async () => {
    const double = await withAcl({}, { version: '7.4-17' });
    const { guest: made } = await provision(double, await runOf(double));
    expect(made.config.options.net0).toContain('bridge=vmbr0');
    expect((await provision(double, await runOf(double))).changes).toEqual([]);
  });
});
